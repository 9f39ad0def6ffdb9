-- What identifies staged rows in their objects.
-- :'rows' (a list of row numbers) -> row_no, song_id, artist_id, title
select row_no, song_id, artist_id, title
from load_songs
where row_no in :'rows'
