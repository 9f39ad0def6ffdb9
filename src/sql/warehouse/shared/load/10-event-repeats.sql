-- Identities that occur more than once among the staged events and the events of the same time already loaded.
-- :first_ts :last_ts -> nothing
create temp table load_event_repeats as
select sessionid, iteminsession, ts, userkey
from (
  select sessionid, iteminsession, ts, coalesce(userid, -1) as userkey
  from load_events
  union all
  select sessionid, iteminsession, ts, coalesce(userid, -1) as userkey
  from staging.events
  where ts between cast(:first_ts as bigint) and cast(:last_ts as bigint)
) as both_sides
group by sessionid, iteminsession, ts, userkey
having count(*) > 1
