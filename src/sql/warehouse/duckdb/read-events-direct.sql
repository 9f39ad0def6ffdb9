-- Events straight from their files, every value as text; a row's object is known by its file's place in the list.
-- :'paths' :'first_object' -> object_no, line_number (unknown here), the event's keys
select
  cast(file_index as integer) + :'first_object' as object_no,
  cast(null as bigint) as line_number,
  *
from read_json(
  :'paths',
  format = 'newline_delimited',
  columns = {
    artist: 'VARCHAR', auth: 'VARCHAR', firstName: 'VARCHAR', gender: 'VARCHAR', itemInSession: 'VARCHAR',
    lastName: 'VARCHAR', length: 'VARCHAR', level: 'VARCHAR', location: 'VARCHAR', method: 'VARCHAR',
    page: 'VARCHAR', registration: 'VARCHAR', sessionId: 'VARCHAR', song: 'VARCHAR', status: 'VARCHAR',
    ts: 'VARCHAR', userAgent: 'VARCHAR', userId: 'VARCHAR'
  }
)
