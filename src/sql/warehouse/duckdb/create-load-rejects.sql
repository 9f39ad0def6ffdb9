create temp table load_rejects (
  kind varchar,
  object_no integer,
  line_number bigint,
  code varchar,
  column_name varchar,
  message varchar,
  raw_text varchar,
  raw_truncated boolean
)
