/*
description: The load ledger. A row commits together with the rows that the load published.
key: [load_id]
distribution: { style: all }
sort_key: [load_id]
*/
create table if not exists ops.loads (
  load_id bigint not null,
  job_id varchar(64) not null,
  mode varchar(16) not null,
  committed_at timestamp not null,
  data_version bigint not null,
  objects bigint not null,
  objects_skipped bigint not null,
  events_read bigint not null,
  events_loaded bigint not null,
  events_duplicates bigint not null,
  events_rejected bigint not null,
  songs_read bigint not null,
  songs_loaded bigint not null,
  songs_duplicates bigint not null,
  songs_rejected bigint not null,
  receipt varchar(65535) not null
)
