/*
description: Records that could not be loaded, with their place, text and reason. load_id is null when the load failed over them, replayed_by names the load that took a record in after all.
key: [reject_id]
distribution: { style: even }
sort_key: [reject_id]
*/
create table if not exists ops.rejects (
  reject_id bigint not null,
  job_id varchar(64) not null,
  load_id bigint,
  kind varchar(16) not null,
  url varchar(4096) not null,
  etag varchar(256) not null,
  line_number bigint,
  code varchar(64) not null,
  column_name varchar(64),
  message varchar(4096) not null,
  raw_text varchar(65535),
  raw_truncated boolean not null,
  rejected_at timestamp not null,
  replayed_by bigint
)
