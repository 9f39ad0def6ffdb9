/*
description: Every song ever loaded, once; a song delivered again replaces its row.
key: [song_id]
distribution: { style: key, column: song_id }
sort_key: []
*/
create table if not exists staging.songs (
  load_id bigint not null,
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
