-- Songs straight from their files, every value as text; a row's object is known by its file's place in the list.
-- :'paths' :'first_object' -> object_no, line_number (unknown here), the song's keys
select
  list_position(:'paths', filename) + :'first_object' - 1 as object_no,
  cast(null as bigint) as line_number,
  * exclude (filename)
from read_json(
  :'paths',
  format = 'newline_delimited',
  columns = {
    num_songs: 'VARCHAR', artist_id: 'VARCHAR', artist_latitude: 'VARCHAR', artist_longitude: 'VARCHAR',
    artist_location: 'VARCHAR', artist_name: 'VARCHAR', song_id: 'VARCHAR', title: 'VARCHAR',
    duration: 'VARCHAR', year: 'VARCHAR'
  },
  filename = true
)
