-- The rejects to try again, numbered as the lines that they become. Only those of published loads since the last full
-- one: what a failed load rejected is read again anyhow. A text that was cut, or is not what the object holds, stays.
-- A null filter takes all.
-- :load_id :kind :code :'limit' (Redshift binds no LIMIT) -> nothing
create temp table load_replayed as
select reject_id, kind, row_number() over (partition by kind order by reject_id) as line_number
from (
  select reject_id, kind
  from ops.rejects
  where replayed_by is null
    and not raw_truncated
    and code not in ('invalid_utf8', 'record_too_large')
    and load_id >= (select coalesce(max(load_id), 0) from ops.loads where mode = 'full')
    and (cast(:load_id as bigint) is null or load_id = cast(:load_id as bigint))
    and (cast(:kind as varchar(16)) is null or kind = cast(:kind as varchar(16)))
    and (cast(:code as varchar(64)) is null or code = cast(:code as varchar(64)))
  order by reject_id
  limit :'limit'
) as chosen
