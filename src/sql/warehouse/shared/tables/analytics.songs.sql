/*
description: One row for each song of the catalogue.
key: [song_id]
distribution: { style: key, column: song_id }
sort_key: []
*/
create table if not exists analytics.songs (
  song_id varchar(256) not null,
  title varchar(4096) not null,
  artist_id varchar(256) not null,
  year bigint,
  duration double precision
)
