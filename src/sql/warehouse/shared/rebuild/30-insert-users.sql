-- Of each user the latest play by (ts, sessionid, iteminsession).
insert into analytics.users
select userid, firstname, lastname, gender, level
from (
  select
    plays.userid, plays.firstname, plays.lastname, plays.gender, plays.level,
    row_number() over (partition by plays.userid order by plays.sessionid desc, plays.iteminsession desc) as choice
  from staging.events as plays
  inner join (
    select userid, max(ts) as ts
    from staging.events
    where page = 'NextSong' and userid is not null
    group by userid
  ) as latest
    on latest.userid = plays.userid and latest.ts = plays.ts
  where plays.page = 'NextSong'
) as ranked
where choice = 1
