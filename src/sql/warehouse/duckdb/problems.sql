-- Records whose values cannot be loaded, in the order of objects and lines.
-- :limit -> kind, row_no, code, column_name
select kind, row_no, split_part(problem, ':', 1) as code, nullif(split_part(problem, ':', 2), '') as column_name
from (
  select 'events' as kind, rowid + 1 as row_no, problem from load_events_raw where problem is not null
  union all
  select 'songs', rowid + 1, problem from load_songs_raw where problem is not null
)
order by kind, row_no
limit cast(:limit as bigint)
