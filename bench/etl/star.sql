-- The star from `plays` and `staging_songs`, as both scripts make it.
create table matches as
select event_id, song_id, artist_id from (
  select p.event_id, s.song_id, s.artist_id, row_number() over (
    partition by p.event_id
    order by case when p.length is null or s.duration is null then 1 else 0 end, abs(s.duration - p.length), s.song_id
  ) as choice
  from plays p join staging_songs s
    on rtrim(s.title, ' ') = rtrim(p.song, ' ') and rtrim(s.artist_name, ' ') = rtrim(p.artist, ' ')
) where choice = 1;
create table songplays as
select p.event_id as songplay_id, make_timestamp(p.ts * 1000) as start_time, p.userid as user_id, p.level, m.song_id, m.artist_id,
  p.sessionid as session_id, p.location, p.useragent as user_agent, p.length as duration
from plays p left join matches m using (event_id);
create table users as
select userid as user_id, arg_max(firstname, k) as first_name, arg_max(lastname, k) as last_name, arg_max(gender, k) as gender,
  arg_max(level, k) as level
from (select *, (ts, sessionid, iteminsession) as k from plays) group by userid;
create table songs as select song_id, title, artist_id, year, duration from staging_songs;
create table artists as
select artist_id, artist_name as name, artist_location as location, artist_latitude as latitude, artist_longitude as longitude
from (
  select *, row_number() over (
    partition by artist_id order by (artist_latitude is not null and artist_longitude is not null) desc,
    artist_location is not null desc, coalesce(year, 0) desc, song_id
  ) as choice from staging_songs
) where choice = 1;
create table time as
select start_time, hour(start_time) as hour, day(start_time) as day, week(start_time) as week, month(start_time) as month,
  year(start_time) as year, dayofweek(start_time) as weekday
from (select distinct start_time from songplays);
