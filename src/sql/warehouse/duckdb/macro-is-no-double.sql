create temp macro is_no_double(value) as
  nullif(value, '') is not null and not coalesce(isfinite(try_cast(value as double)), false)
