-- Songs from a spool, where each record stands with its object and line.
-- :'paths' -> object_no, line_number, the song's keys
select o as object_no, l as line_number, r.*
from read_json(
  :'paths',
  format = 'newline_delimited',
  columns = {
    o: 'INTEGER',
    l: 'BIGINT',
    r: 'STRUCT(
      num_songs VARCHAR, artist_id VARCHAR, artist_latitude VARCHAR, artist_longitude VARCHAR,
      artist_location VARCHAR, artist_name VARCHAR, song_id VARCHAR, title VARCHAR,
      duration VARCHAR, year VARCHAR)'
  }
)
