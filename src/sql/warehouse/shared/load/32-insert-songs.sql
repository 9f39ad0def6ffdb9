-- :load_id -> nothing
insert into staging.songs
select
  cast(:load_id as bigint), num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name,
  song_id, title, duration, year
from load_song_changes
