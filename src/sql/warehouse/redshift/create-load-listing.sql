create temp table load_listing (
  object_no integer,
  kind varchar(16),
  url varchar(4096),
  etag varchar(256),
  bytes bigint
)
