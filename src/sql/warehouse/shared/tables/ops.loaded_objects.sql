/*
description: The objects whose records are in staging, identified by url and etag.
key: [url, etag]
distribution: { style: even }
sort_key: [load_id]
*/
create table if not exists ops.loaded_objects (
  load_id bigint not null,
  kind varchar(16) not null,
  url varchar(4096) not null,
  etag varchar(256) not null,
  bytes bigint not null,
  records_read bigint,
  records_loaded bigint,
  records_duplicates bigint,
  records_rejected bigint
)
