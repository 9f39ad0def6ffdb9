-- The staged events that are not loaded: the first of an identity stays, those after it are duplicates where the
-- content is the same and conflicts where it is not.
create temp table load_event_verdicts as
select later.row_no, later.object_no, case when later.content = first.content then 1 else 0 end as is_duplicate
from load_event_suspects as later
inner join (
  select sessionid, iteminsession, ts, userkey, min(row_no) as row_no
  from load_event_suspects
  group by sessionid, iteminsession, ts, userkey
) as keepers
  on keepers.sessionid = later.sessionid and keepers.iteminsession = later.iteminsession
  and keepers.ts = later.ts and keepers.userkey = later.userkey
inner join load_event_suspects as first
  on first.row_no = keepers.row_no and first.sessionid = keepers.sessionid
  and first.iteminsession = keepers.iteminsession and first.ts = keepers.ts and first.userkey = keepers.userkey
where later.row_no > keepers.row_no
