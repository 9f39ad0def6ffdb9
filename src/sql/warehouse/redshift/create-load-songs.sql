-- What COPY fills. Rows are numbered with gaps and in no order; their objects are unknown.
create temp table load_songs (
  row_no bigint identity(1, 1),
  object_no integer,
  num_songs bigint,
  artist_id varchar(256) not null,
  artist_latitude double precision,
  artist_longitude double precision,
  artist_location varchar(4096),
  artist_name varchar(4096) not null,
  song_id varchar(256) not null,
  title varchar(4096) not null,
  duration double precision,
  year bigint
)
