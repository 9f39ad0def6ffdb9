-- Where rows stand: their object, and their line or, where that is unknown, their place among the object's records.
-- :row_nos (a JSON list) -> row_no, object_no, line_number, record_number
with wanted as (select unnest(cast(:row_nos as bigint[])) as row_no),
found as (
  select wanted.row_no, raw.object_no, raw.line_number
  from wanted inner join load_songs_raw as raw on raw.rowid = wanted.row_no - 1
),
starts as (
  select object_no, min(rowid) as first_rowid from load_songs_raw
  where object_no in (select object_no from found) group by object_no
)
select found.row_no, found.object_no, found.line_number, found.row_no - starts.first_rowid as record_number
from found inner join starts on starts.object_no = found.object_no
order by found.row_no
