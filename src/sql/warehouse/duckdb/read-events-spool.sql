-- Events from a spool, where each record stands with its object and line.
-- :'paths' -> object_no, line_number, the event's keys
select o as object_no, l as line_number, r.*
from read_json(
  :'paths',
  format = 'newline_delimited',
  columns = {
    o: 'INTEGER',
    l: 'BIGINT',
    r: 'STRUCT(
      artist VARCHAR, auth VARCHAR, firstName VARCHAR, gender VARCHAR, itemInSession VARCHAR,
      lastName VARCHAR, length VARCHAR, level VARCHAR, location VARCHAR, method VARCHAR,
      page VARCHAR, registration VARCHAR, sessionId VARCHAR, song VARCHAR, status VARCHAR,
      ts VARCHAR, userAgent VARCHAR, userId VARCHAR)'
  }
)
