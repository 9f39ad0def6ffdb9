-- A number is whole only if it is written so: '1.5', '1e3' and '0x10' cast to a bigint, but are none.
create temp macro is_no_bigint(value, number) as value <> '' and coalesce(cast(number as varchar) <> value, true)
