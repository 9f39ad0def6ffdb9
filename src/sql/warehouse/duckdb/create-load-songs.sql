-- Every record that could be read as an object; `problem` is 'code:column' where it cannot be loaded.
-- Its rowid is the order of objects and lines.
create temp table load_songs_raw (
  object_no integer,
  line_number bigint,
  num_songs bigint,
  artist_id varchar,
  artist_latitude double,
  artist_longitude double,
  artist_location varchar,
  artist_name varchar,
  song_id varchar,
  title varchar,
  duration double,
  year bigint,
  problem varchar
)
