-- Adds the staged events to the raw layer.
-- :load_id :event_id_base -> nothing
insert into staging.events
select
  cast(:event_id_base as bigint) + staged.row_no,
  cast(:load_id as bigint),
  staged.artist, staged.auth, staged.firstname, staged.gender, staged.iteminsession, staged.lastname, staged.length,
  staged.level, staged.location, staged.method, staged.page, staged.registration, staged.sessionid, staged.song,
  staged.status, staged.ts, staged.useragent, staged.userid
from load_events as staged
left join load_event_verdicts as verdicts on verdicts.row_no = staged.row_no
where verdicts.row_no is null
