-- Songs straight from their files, every value as text; a row's object is known by its file's place in the list.
-- :'paths' :'first_object' -> object_no, line_number (unknown here), the song's keys
select
  cast(file_index as integer) + :'first_object' as object_no,
  cast(null as bigint) as line_number,
  *
from read_json(
  :'paths',
  format = 'newline_delimited',
  columns = {
    num_songs: 'VARCHAR', artist_id: 'VARCHAR', artist_latitude: 'VARCHAR', artist_longitude: 'VARCHAR',
    artist_location: 'VARCHAR', artist_name: 'VARCHAR', song_id: 'VARCHAR', title: 'VARCHAR',
    duration: 'VARCHAR', year: 'VARCHAR'
  }
)
