-- What COPY fills. Rows are numbered with gaps and in no order; their objects are unknown. Types, lengths and required
-- values are checked by COPY itself.
create temp table load_events (
  row_no bigint identity(1, 1),
  object_no integer,
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
