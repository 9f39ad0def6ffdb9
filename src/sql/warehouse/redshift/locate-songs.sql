-- What identifies staged rows in their objects.
-- :first_row :last_row -> row_no, song_id, artist_id, title
select row_no, song_id, artist_id, title
from load_songs
where row_no between cast(:first_row as bigint) and cast(:last_row as bigint)
