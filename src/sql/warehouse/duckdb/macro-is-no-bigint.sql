-- A number is whole only if it is written so: '1.5', '1e3' and '0x10' cast to a bigint, but are none.
create temp macro is_no_bigint(value) as
  nullif(value, '') is not null and coalesce(cast(try_cast(value as bigint) as varchar) <> value, true)
