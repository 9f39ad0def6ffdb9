create temp table load_rejects (
  kind varchar(16),
  object_no integer,
  line_number bigint,
  code varchar(64),
  column_name varchar(64),
  message varchar(4096),
  raw_text varchar(65535),
  raw_truncated boolean
)
