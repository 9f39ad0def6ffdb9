/*
description: One row for each play, that is each NextSong event of a user.
key: [songplay_id]
distribution: { style: key, column: song_id }
sort_key: [start_time]
*/
create table if not exists analytics.songplays (
  songplay_id bigint not null,
  start_time timestamp not null,
  user_id bigint not null,
  level varchar(256),
  song_id varchar(256),
  artist_id varchar(256),
  session_id bigint not null,
  location varchar(4096),
  user_agent varchar(4096),
  duration double precision
)
