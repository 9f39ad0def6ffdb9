-- The latest play of each user among the new ones.
-- :load_id -> nothing
create temp table load_latest_plays as
select userid, firstname, lastname, gender, level, ts, sessionid, iteminsession
from (
  select
    plays.userid, plays.firstname, plays.lastname, plays.gender, plays.level, plays.ts, plays.sessionid,
    plays.iteminsession,
    row_number() over (partition by plays.userid order by plays.sessionid desc, plays.iteminsession desc) as choice
  from staging.events as plays
  inner join (
    select userid, max(ts) as ts
    from staging.events
    where load_id = cast(:load_id as bigint) and page = 'NextSong' and userid is not null
    group by userid
  ) as latest
    on latest.userid = plays.userid and latest.ts = plays.ts
  where plays.load_id = cast(:load_id as bigint) and plays.page = 'NextSong'
) as ranked
where choice = 1
