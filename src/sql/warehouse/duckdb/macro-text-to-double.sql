-- An empty string is no number.
create temp macro text_to_double(value) as try_cast(nullif(value, '') as double)
