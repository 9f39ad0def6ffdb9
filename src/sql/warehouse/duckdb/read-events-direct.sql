-- Events straight from their files, every value as text; a row's object is known by its file's place in the list.
-- :'paths' :'first_object' -> object_no, line_number (unknown here), the event's keys
select
  list_position(:'paths', filename) + :'first_object' - 1 as object_no,
  cast(null as bigint) as line_number,
  * exclude (filename)
from read_json(
  :'paths',
  format = 'newline_delimited',
  columns = {
    artist: 'VARCHAR', auth: 'VARCHAR', firstName: 'VARCHAR', gender: 'VARCHAR', itemInSession: 'VARCHAR',
    lastName: 'VARCHAR', length: 'VARCHAR', level: 'VARCHAR', location: 'VARCHAR', method: 'VARCHAR',
    page: 'VARCHAR', registration: 'VARCHAR', sessionId: 'VARCHAR', song: 'VARCHAR', status: 'VARCHAR',
    ts: 'VARCHAR', userAgent: 'VARCHAR', userId: 'VARCHAR'
  },
  filename = true
)
