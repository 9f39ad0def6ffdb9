/*
description: Every event ever loaded, once. Column names are the JSON keys in lower case.
key: [event_id]
distribution: { style: even }
sort_key: [ts]
*/
create table if not exists staging.events (
  event_id bigint not null,
  load_id bigint not null,
  artist varchar(4096),
  auth varchar(256),
  firstname varchar(1024),
  gender varchar(256),
  iteminsession bigint not null,
  lastname varchar(1024),
  length double precision,
  level varchar(256),
  location varchar(4096),
  method varchar(256),
  page varchar(256) not null,
  registration double precision,
  sessionid bigint not null,
  song varchar(4096),
  status bigint,
  ts bigint not null,
  useragent varchar(4096),
  userid bigint
)
