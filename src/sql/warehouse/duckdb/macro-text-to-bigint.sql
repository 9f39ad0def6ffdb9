-- An empty string is no number.
create temp macro text_to_bigint(value) as try_cast(nullif(value, '') as bigint)
