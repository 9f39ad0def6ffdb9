-- The valid events, numbered in the order of objects and lines.
create temp view load_events as
select
  rowid + 1 as row_no, object_no, artist, auth, firstname, gender, iteminsession, lastname, length, level, location,
  method, page, registration, sessionid, song, status, ts, useragent, userid
from load_events_raw
where problem is null
