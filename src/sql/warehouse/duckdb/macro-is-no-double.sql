create temp macro is_no_double(value, number) as value <> '' and not coalesce(isfinite(number), false)
