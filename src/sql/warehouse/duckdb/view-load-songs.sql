-- The valid songs, numbered in the order of objects and lines.
create temp view load_songs as
select
  rowid + 1 as row_no, object_no, num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name,
  song_id, title, duration, year
from load_songs_raw
where problem is null
