-- What must hold before anything is published; each counts its violations among the rows that the load wrote.
-- :event_id_base -> check_name, violations
select 'plays equal the events that are plays' as check_name, abs(
  (select count(*) from analytics.songplays where songplay_id > cast(:event_id_base as bigint))
  - (
    select count(*) from staging.events
    where event_id > cast(:event_id_base as bigint) and page = 'NextSong' and userid is not null
  )
) as violations
union all
select 'songplay_id is unique', count(*) from (
  select songplay_id from analytics.songplays where songplay_id > cast(:event_id_base as bigint)
  group by songplay_id having count(*) > 1
) as repeated
union all
select 'user_id is unique', count(*) from (
  select user_id from analytics.users group by user_id having count(*) > 1
) as repeated
union all
select 'song_id is unique', count(*) from (
  select song_id from analytics.songs group by song_id having count(*) > 1
) as repeated
union all
select 'artist_id is unique', count(*) from (
  select artist_id from analytics.artists group by artist_id having count(*) > 1
) as repeated
union all
select 'every play has its user', count(*)
from analytics.songplays as plays left join analytics.users as users on users.user_id = plays.user_id
where plays.songplay_id > cast(:event_id_base as bigint) and users.user_id is null
union all
select 'every matched play has its song', count(*)
from analytics.songplays as plays left join analytics.songs as songs on songs.song_id = plays.song_id
where plays.songplay_id > cast(:event_id_base as bigint) and plays.song_id is not null and songs.song_id is null
union all
select 'every play has its moment once', abs(count(*) - (
  select count(*) from analytics.songplays where songplay_id > cast(:event_id_base as bigint)
))
from analytics.songplays as plays inner join analytics.time as moments on moments.start_time = plays.start_time
where plays.songplay_id > cast(:event_id_base as bigint)
union all
select 'no key is null', (
  select count(*) from analytics.songplays
  where songplay_id > cast(:event_id_base as bigint)
    and (start_time is null or user_id is null or session_id is null)
) + (select count(*) from analytics.users where user_id is null)
  + (select count(*) from analytics.songs where song_id is null or artist_id is null)
  + (select count(*) from analytics.artists where artist_id is null)
  + (select count(*) from analytics.time where start_time is null)
