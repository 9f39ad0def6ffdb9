-- Every record that could be read as an object; `problem` is 'code:column' where it cannot be loaded.
-- Its rowid is the order of objects and lines.
create temp table load_events_raw (
  object_no integer,
  line_number bigint,
  artist varchar,
  auth varchar,
  firstname varchar,
  gender varchar,
  iteminsession bigint,
  lastname varchar,
  length double,
  level varchar,
  location varchar,
  method varchar,
  page varchar,
  registration double,
  sessionid bigint,
  song varchar,
  status bigint,
  ts bigint,
  useragent varchar,
  userid bigint,
  problem varchar
)
