-- Every statement that the service sends to Redshift, in the order of their first use, as the driver sends it: $1, $2 are
-- bound. Written by: npm run statements

set statement_timeout to 3600000;

set search_path to analytics, staging;

select pg_backend_pid() as pid;

select 1;

select trim(isolation_level) as isolation_level
from stv_db_isolation_level
where trim(db_name) = cast($1 as varchar(128));

select table_schema, table_name, column_name
from information_schema.columns
where table_schema in ('staging', 'analytics', 'ops')
order by table_schema, table_name, ordinal_position;

begin;

create schema if not exists staging;

create schema if not exists analytics;

create schema if not exists ops;

create table if not exists staging.events (
  event_id bigint not null,
  load_id bigint not null,
  artist varchar(4096),
  auth varchar(256),
  firstname varchar(1024),
  gender varchar(256),
  iteminsession bigint not null,
  lastname varchar(1024),
  length double precision,
  level varchar(256),
  location varchar(4096),
  method varchar(256),
  page varchar(256) not null,
  registration double precision,
  sessionid bigint not null,
  song varchar(4096),
  status bigint,
  ts bigint not null,
  useragent varchar(4096),
  userid bigint
)
diststyle even
sortkey (ts);

create table if not exists staging.songs (
  load_id bigint not null,
  num_songs bigint,
  artist_id varchar(256) not null,
  artist_latitude double precision,
  artist_longitude double precision,
  artist_location varchar(4096),
  artist_name varchar(4096) not null,
  song_id varchar(256) not null,
  title varchar(4096) not null,
  duration double precision,
  year bigint
)
diststyle key distkey (song_id);

create table if not exists analytics.artists (
  artist_id varchar(256) not null,
  name varchar(4096) not null,
  location varchar(4096),
  latitude double precision,
  longitude double precision
)
diststyle key distkey (artist_id);

create table if not exists analytics.songplays (
  songplay_id bigint not null,
  start_time timestamp not null,
  user_id bigint not null,
  level varchar(256),
  song_id varchar(256),
  artist_id varchar(256),
  session_id bigint not null,
  location varchar(4096),
  user_agent varchar(4096),
  duration double precision
)
diststyle key distkey (song_id)
sortkey (start_time);

create table if not exists analytics.songs (
  song_id varchar(256) not null,
  title varchar(4096) not null,
  artist_id varchar(256) not null,
  year bigint,
  duration double precision
)
diststyle key distkey (song_id);

create table if not exists analytics.time (
  start_time timestamp not null,
  hour integer not null,
  day integer not null,
  week integer not null,
  month integer not null,
  year integer not null,
  weekday integer not null
)
diststyle even
sortkey (start_time);

create table if not exists analytics.users (
  user_id bigint not null,
  first_name varchar(1024),
  last_name varchar(1024),
  gender varchar(256),
  level varchar(256)
)
diststyle all;

create table if not exists ops.load_lock (
  load_id bigint
)
diststyle all;

create table if not exists ops.loaded_objects (
  load_id bigint not null,
  kind varchar(16) not null,
  url varchar(4096) not null,
  etag varchar(256) not null,
  bytes bigint not null,
  records_read bigint,
  records_loaded bigint,
  records_duplicates bigint,
  records_rejected bigint
)
diststyle even
sortkey (load_id);

create table if not exists ops.loads (
  load_id bigint not null,
  job_id varchar(64) not null,
  mode varchar(16) not null,
  committed_at timestamp not null,
  data_version bigint not null,
  objects bigint not null,
  objects_skipped bigint not null,
  events_read bigint not null,
  events_loaded bigint not null,
  events_duplicates bigint not null,
  events_rejected bigint not null,
  songs_read bigint not null,
  songs_loaded bigint not null,
  songs_duplicates bigint not null,
  songs_rejected bigint not null,
  receipt varchar(65535) not null
)
diststyle all
sortkey (load_id);

create table if not exists ops.rejects (
  reject_id bigint not null,
  job_id varchar(64) not null,
  load_id bigint,
  kind varchar(16) not null,
  url varchar(4096) not null,
  etag varchar(256) not null,
  line_number bigint,
  code varchar(64) not null,
  column_name varchar(64),
  message varchar(4096) not null,
  raw_text varchar(65535),
  raw_truncated boolean not null,
  rejected_at timestamp not null,
  replayed_by bigint
)
diststyle even
sortkey (reject_id);

commit;

select
  load_id, data_version, events_read, events_loaded, events_duplicates, events_rejected, songs_read, songs_loaded,
  songs_duplicates, songs_rejected
from ops.loads
where job_id = $1;

create temp table load_listing (
  object_no integer,
  kind varchar(16),
  url varchar(4096),
  etag varchar(256),
  bytes bigint
);

copy load_listing (object_no, kind, url, etag, bytes)
from 's3://sparkify-manifests/loads/JOB/1/listing.json'
iam_role 'arn:aws:iam::ACCOUNT:role/sparkify-redshift'
region 'us-west-2'
json 'auto'
compupdate off
statupdate off;

create temp table load_new_objects as
select listing.object_no
from load_listing as listing
left join ops.loaded_objects as known on known.url = listing.url and known.etag = listing.etag
where known.url is null or cast($1 as boolean);

select count(*) as new_objects from load_new_objects;

create temp table load_rejects (
  kind varchar(16),
  object_no integer,
  line_number bigint,
  code varchar(64),
  column_name varchar(64),
  message varchar(4096),
  raw_text varchar(65535),
  raw_truncated boolean
);

create temp table load_songs (
  row_no bigint identity(1, 1),
  object_no integer,
  num_songs bigint,
  artist_id varchar(256) not null,
  artist_latitude double precision,
  artist_longitude double precision,
  artist_location varchar(4096),
  artist_name varchar(4096) not null,
  song_id varchar(256) not null,
  title varchar(4096) not null,
  duration double precision,
  year bigint
);

copy load_songs (
  num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year
)
from 's3://sparkify-manifests/loads/JOB/1/songs.manifest'
iam_role 'arn:aws:iam::ACCOUNT:role/sparkify-redshift'
region 'us-west-2'
json 'auto ignorecase'
maxerror 100000
compupdate off
statupdate off
manifest;

select pg_last_copy_id() as query_id, pg_last_copy_count() as rows_loaded;

select distinct trim(filename) as url from stl_load_commits where query = cast($1 as bigint);

select
  trim(file_name) as url, line_number, trim(column_name) as column_name, error_code, trim(error_message) as message
from sys_load_error_detail
where query_id = cast($1 as bigint)
order by file_name, line_number;

update load_songs set artist_location = null where octet_length(artist_location) = 0;

select row_no, 'missing_value' as code, column_name, count(*) over () as problems
from (
  select row_no, case when octet_length(song_id) = 0 then 'song_id' else 'artist_id' end as column_name
  from load_songs
  where octet_length(song_id) = 0 or octet_length(artist_id) = 0
) as found
order by row_no
limit 1000;

create temp table load_events (
  row_no bigint identity(1, 1),
  object_no integer,
  artist varchar(4096),
  auth varchar(256),
  firstname varchar(1024),
  gender varchar(256),
  iteminsession bigint not null,
  lastname varchar(1024),
  length double precision,
  level varchar(256),
  location varchar(4096),
  method varchar(256),
  page varchar(256) not null,
  registration double precision,
  sessionid bigint not null,
  song varchar(4096),
  status bigint,
  ts bigint not null,
  useragent varchar(4096),
  userid bigint
);

copy load_events (
  artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration,
  sessionid, song, status, ts, useragent, userid
)
from 's3://sparkify-manifests/loads/JOB/1/events.manifest'
iam_role 'arn:aws:iam::ACCOUNT:role/sparkify-redshift'
region 'us-west-2'
json 'auto ignorecase'
maxerror 100000
compupdate off
statupdate off
manifest;

update load_events set location = null where octet_length(location) = 0;

select row_no, code, column_name, count(*) over () as problems
from (
  select
    row_no,
    case when octet_length(page) = 0 then 'missing_value' else 'out_of_range' end as code,
    case
      when octet_length(page) = 0 then 'page'
      when ts < 0 or ts > 253402300799999 then 'ts'
      else 'userId'
    end as column_name
  from load_events
  where octet_length(page) = 0 or ts < 0 or ts > 253402300799999 or userid < 0
) as found
order by row_no
limit 1000;

create temp table load_objects as
select listing.object_no, listing.kind, listing.url, listing.etag, listing.bytes, cast(null as bigint) as records_read
from load_listing as listing
inner join load_new_objects as new_ones on new_ones.object_no = listing.object_no;

lock ops.load_lock;

select count(*) as moved
from load_objects as staged
inner join ops.loaded_objects as known on known.url = staged.url and known.etag = staged.etag
where not cast($1 as boolean);

select
  (select coalesce(max(load_id), 0) from ops.loads) as load_id,
  (select coalesce(max(data_version), 0) from ops.loads) as data_version,
  (select coalesce(max(event_id), 0) from staging.events) as event_id,
  (select coalesce(max(reject_id), 0) from ops.rejects) as reject_id,
  (select coalesce(min(ts), 0) from load_events) as first_ts,
  (select coalesce(max(ts), 0) from load_events) as last_ts;

create temp table load_event_repeats as
select sessionid, iteminsession, ts, userkey
from (
  select sessionid, iteminsession, ts, coalesce(userid, -1) as userkey
  from load_events
  union all
  select sessionid, iteminsession, ts, coalesce(userid, -1) as userkey
  from staging.events
  where ts between cast($1 as bigint) and cast($2 as bigint)
) as both_sides
group by sessionid, iteminsession, ts, userkey
having count(*) > 1;

create temp table load_event_suspects as
select
  row_no,
  object_no,
  sessionid,
  iteminsession,
  ts,
  coalesce(userid, -1) as userkey,
  md5(
    coalesce(artist, chr(1)) || chr(2) || coalesce(auth, chr(1)) || chr(2) || coalesce(firstname, chr(1)) || chr(2)
    || coalesce(gender, chr(1)) || chr(2) || coalesce(lastname, chr(1)) || chr(2)
    || coalesce(cast(length as varchar), chr(1)) || chr(2) || coalesce(level, chr(1)) || chr(2)
    || coalesce(location, chr(1)) || chr(2) || coalesce(method, chr(1)) || chr(2) || coalesce(page, chr(1)) || chr(2)
    || coalesce(cast(registration as varchar), chr(1)) || chr(2) || coalesce(song, chr(1)) || chr(2)
    || coalesce(cast(status as varchar), chr(1)) || chr(2) || coalesce(useragent, chr(1))
  ) as content
from (
  select
    staged.row_no, staged.object_no, staged.artist, staged.auth, staged.firstname, staged.gender,
    staged.iteminsession, staged.lastname, staged.length, staged.level, staged.location, staged.method, staged.page,
    staged.registration, staged.sessionid, staged.song, staged.status, staged.ts, staged.useragent, staged.userid
  from load_events as staged
  inner join load_event_repeats as repeats
    on repeats.sessionid = staged.sessionid and repeats.iteminsession = staged.iteminsession
    and repeats.ts = staged.ts and repeats.userkey = coalesce(staged.userid, -1)
  union all
  select
    0, 0, known.artist, known.auth, known.firstname, known.gender,
    known.iteminsession, known.lastname, known.length, known.level, known.location, known.method, known.page,
    known.registration, known.sessionid, known.song, known.status, known.ts, known.useragent, known.userid
  from staging.events as known
  inner join load_event_repeats as repeats
    on repeats.sessionid = known.sessionid and repeats.iteminsession = known.iteminsession
    and repeats.ts = known.ts and repeats.userkey = coalesce(known.userid, -1)
  where known.ts between cast($1 as bigint) and cast($2 as bigint)
) as suspects;

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
where later.row_no > keepers.row_no;

select row_no, count(*) over () as conflicts
from load_event_verdicts
where is_duplicate = 0
order by row_no
limit 1000;

insert into staging.events
select
  cast($1 as bigint) + staged.row_no,
  cast($2 as bigint),
  staged.artist, staged.auth, staged.firstname, staged.gender, staged.iteminsession, staged.lastname, staged.length,
  staged.level, staged.location, staged.method, staged.page, staged.registration, staged.sessionid, staged.song,
  staged.status, staged.ts, staged.useragent, staged.userid
from load_events as staged
left join load_event_verdicts as verdicts on verdicts.row_no = staged.row_no
where verdicts.row_no is null;

create temp table load_song_changes as
select
  staged.row_no, staged.object_no, staged.num_songs, staged.artist_id, staged.artist_latitude,
  staged.artist_longitude, staged.artist_location, staged.artist_name, staged.song_id, staged.title, staged.duration,
  staged.year, known.song_id as replaces, known.artist_id as old_artist_id, known.artist_name as old_artist_name,
  known.title as old_title
from load_songs as staged
inner join (select song_id, max(row_no) as row_no from load_songs group by song_id) as latest
  on latest.row_no = staged.row_no
left join staging.songs as known on known.song_id = staged.song_id
where known.song_id is null
  or md5(
    coalesce(cast(staged.num_songs as varchar), chr(1)) || chr(2) || staged.artist_id || chr(2)
    || coalesce(cast(staged.artist_latitude as varchar), chr(1)) || chr(2)
    || coalesce(cast(staged.artist_longitude as varchar), chr(1)) || chr(2)
    || coalesce(staged.artist_location, chr(1)) || chr(2) || staged.artist_name || chr(2) || staged.title || chr(2)
    || coalesce(cast(staged.duration as varchar), chr(1)) || chr(2) || coalesce(cast(staged.year as varchar), chr(1))
  ) <> md5(
    coalesce(cast(known.num_songs as varchar), chr(1)) || chr(2) || known.artist_id || chr(2)
    || coalesce(cast(known.artist_latitude as varchar), chr(1)) || chr(2)
    || coalesce(cast(known.artist_longitude as varchar), chr(1)) || chr(2)
    || coalesce(known.artist_location, chr(1)) || chr(2) || known.artist_name || chr(2) || known.title || chr(2)
    || coalesce(cast(known.duration as varchar), chr(1)) || chr(2) || coalesce(cast(known.year as varchar), chr(1))
  );

delete from staging.songs using load_song_changes where staging.songs.song_id = load_song_changes.song_id;

insert into staging.songs
select
  cast($1 as bigint), num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name,
  song_id, title, duration, year
from load_song_changes;

create temp table load_affected_plays as
select events.event_id
from staging.events as events
inner join (
  select rtrim(title, ' ') as title, rtrim(artist_name, ' ') as artist_name from load_song_changes
  union
  select rtrim(old_title, ' '), rtrim(old_artist_name, ' ') from load_song_changes where replaces is not null
) as songs
  on songs.title = rtrim(events.song, ' ') and songs.artist_name = rtrim(events.artist, ' ')
where events.load_id <> cast($1 as bigint) and events.page = 'NextSong' and events.userid is not null;

create temp table load_matches as
select event_id, song_id, artist_id
from (
  select
    plays.event_id,
    songs.song_id,
    songs.artist_id,
    row_number() over (
      partition by plays.event_id
      order by
        case when plays.length is null or songs.duration is null then 1 else 0 end,
        abs(songs.duration - plays.length),
        songs.song_id
    ) as choice
  from (
    select cast($1 as bigint) + staged.row_no as event_id, staged.song, staged.artist, staged.length
    from load_events as staged
    left join load_event_verdicts as verdicts on verdicts.row_no = staged.row_no
    where verdicts.row_no is null and staged.page = 'NextSong' and staged.userid is not null
    union all
    select events.event_id, events.song, events.artist, events.length
    from staging.events as events
    inner join load_affected_plays as affected on affected.event_id = events.event_id
  ) as plays
  inner join staging.songs as songs
    on rtrim(songs.title, ' ') = rtrim(plays.song, ' ') and rtrim(songs.artist_name, ' ') = rtrim(plays.artist, ' ')
) as candidates
where choice = 1;

create temp table load_rematched_plays as
select affected.event_id
from load_affected_plays as affected
inner join analytics.songplays as plays on plays.songplay_id = affected.event_id
left join load_matches as matches on matches.event_id = affected.event_id
where coalesce(plays.song_id, '') <> coalesce(matches.song_id, '')
  or coalesce(plays.artist_id, '') <> coalesce(matches.artist_id, '');

delete from analytics.songplays using load_rematched_plays
where analytics.songplays.songplay_id = load_rematched_plays.event_id;

insert into analytics.songplays
select
  plays.event_id,
  timestamp '1970-01-01 00:00:00'
  + cast((plays.ts - mod(plays.ts, 86400000)) / 86400000 as integer) * interval '1 day'
  + cast((mod(plays.ts, 86400000) - mod(plays.ts, 1000)) / 1000 as integer) * interval '1 second'
  + cast(mod(plays.ts, 1000) as integer) * interval '1 millisecond',
  plays.userid,
  plays.level,
  matches.song_id,
  matches.artist_id,
  plays.sessionid,
  plays.location,
  plays.useragent,
  plays.length
from (
  select
    cast($1 as bigint) + staged.row_no as event_id, staged.ts, staged.userid, staged.level,
    staged.sessionid, staged.location, staged.useragent, staged.length
  from load_events as staged
  left join load_event_verdicts as verdicts on verdicts.row_no = staged.row_no
  where verdicts.row_no is null and staged.page = 'NextSong' and staged.userid is not null
  union all
  select
    events.event_id, events.ts, events.userid, events.level, events.sessionid, events.location, events.useragent,
    events.length
  from staging.events as events
  inner join load_rematched_plays as rematched on rematched.event_id = events.event_id
) as plays
left join load_matches as matches on matches.event_id = plays.event_id;

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
    where load_id = cast($1 as bigint) and page = 'NextSong' and userid is not null
    group by userid
  ) as latest
    on latest.userid = plays.userid and latest.ts = plays.ts
  where plays.load_id = cast($1 as bigint) and plays.page = 'NextSong'
) as ranked
where choice = 1;

delete from load_latest_plays using staging.events
where staging.events.userid = load_latest_plays.userid
  and staging.events.page = 'NextSong'
  and staging.events.load_id <> cast($1 as bigint)
  and staging.events.ts >= cast($2 as bigint)
  and (
    staging.events.ts > load_latest_plays.ts
    or (
      staging.events.ts = load_latest_plays.ts
      and (
        staging.events.sessionid > load_latest_plays.sessionid
        or (
          staging.events.sessionid = load_latest_plays.sessionid
          and staging.events.iteminsession > load_latest_plays.iteminsession
        )
      )
    )
  );

delete from analytics.users using load_latest_plays where analytics.users.user_id = load_latest_plays.userid;

insert into analytics.users
select userid, firstname, lastname, gender, level from load_latest_plays;

delete from analytics.songs using load_song_changes where analytics.songs.song_id = load_song_changes.song_id;

insert into analytics.songs
select song_id, title, artist_id, year, duration from load_song_changes;

create temp table load_affected_artists as
select artist_id from load_song_changes
union
select old_artist_id from load_song_changes where replaces is not null;

delete from analytics.artists using load_affected_artists
where analytics.artists.artist_id = load_affected_artists.artist_id;

insert into analytics.artists
select artist_id, artist_name, artist_location, artist_latitude, artist_longitude
from (
  select
    songs.artist_id, songs.artist_name, songs.artist_location, songs.artist_latitude, songs.artist_longitude,
    row_number() over (
      partition by songs.artist_id
      order by
        case when songs.artist_latitude is not null and songs.artist_longitude is not null then 0 else 1 end,
        case when songs.artist_location is not null then 0 else 1 end,
        coalesce(songs.year, 0) desc,
        songs.song_id
    ) as choice
  from staging.songs as songs
  inner join load_affected_artists as affected on affected.artist_id = songs.artist_id
) as variants
where choice = 1;

insert into analytics.time
select
  moments.start_time,
  cast(extract(hour from moments.start_time) as integer),
  cast(extract(day from moments.start_time) as integer),
  cast(extract(week from moments.start_time) as integer),
  cast(extract(month from moments.start_time) as integer),
  cast(extract(year from moments.start_time) as integer),
  cast(extract(dow from moments.start_time) as integer)
from (
  select distinct start_time from analytics.songplays where songplay_id > cast($1 as bigint)
) as moments
left join analytics.time as known on known.start_time = moments.start_time
where known.start_time is null;

select
  (select count(*) from load_objects) as objects,
  (select count(*) from staging.events where load_id = cast($1 as bigint)) as events_loaded,
  (select count(*) from load_event_verdicts where is_duplicate = 1) as events_duplicates,
  (select count(*) from load_rejects where kind = 'events') as events_rejected,
  (select count(*) from staging.songs where load_id = cast($1 as bigint)) as songs_loaded,
  (select count(*) from load_songs) - (select count(*) from load_song_changes) as songs_duplicates,
  (select count(*) from load_rejects where kind = 'songs') as songs_rejected;

select 'plays equal the events that are plays' as check_name, abs(
  (select count(*) from analytics.songplays where songplay_id > cast($1 as bigint))
  - (
    select count(*) from staging.events
    where event_id > cast($1 as bigint) and page = 'NextSong' and userid is not null
  )
) as violations
union all
select 'songplay_id is unique', count(*) from (
  select songplay_id from analytics.songplays where songplay_id > cast($1 as bigint)
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
where plays.songplay_id > cast($1 as bigint) and users.user_id is null
union all
select 'every matched play has its song', count(*)
from analytics.songplays as plays left join analytics.songs as songs on songs.song_id = plays.song_id
where plays.songplay_id > cast($1 as bigint) and plays.song_id is not null and songs.song_id is null
union all
select 'every play has its moment once', abs(count(*) - (
  select count(*) from analytics.songplays where songplay_id > cast($1 as bigint)
))
from analytics.songplays as plays inner join analytics.time as moments on moments.start_time = plays.start_time
where plays.songplay_id > cast($1 as bigint)
union all
select 'no key is null', (
  select count(*) from analytics.songplays
  where songplay_id > cast($1 as bigint)
    and (start_time is null or user_id is null or session_id is null)
) + (select count(*) from analytics.users where user_id is null)
  + (select count(*) from analytics.songs where song_id is null or artist_id is null)
  + (select count(*) from analytics.artists where artist_id is null)
  + (select count(*) from analytics.time where start_time is null);

select
  plays.plays, plays.plays_without_level, plays.plays_without_location, plays.plays_without_user_agent,
  plays.plays_without_duration, plays.plays_without_song,
  songs.songs, songs.songs_without_year, songs.songs_without_duration, songs.songs_without_artist_location
from (
  select
    count(*) as plays,
    count(*) - count(level) as plays_without_level,
    count(*) - count(location) as plays_without_location,
    count(*) - count(user_agent) as plays_without_user_agent,
    count(*) - count(duration) as plays_without_duration,
    count(*) - count(song_id) as plays_without_song
  from analytics.songplays where songplay_id > cast($1 as bigint)
) as plays
cross join (
  select
    count(*) as songs,
    count(*) - count(case when year > 0 then 1 end) as songs_without_year,
    count(*) - count(duration) as songs_without_duration,
    count(*) - count(artist_location) as songs_without_artist_location
  from staging.songs where load_id = cast($2 as bigint)
) as songs;

select receipt from ops.loads
where mode in ('incremental', 'full') and events_loaded + songs_loaded > 0
order by load_id desc
limit 10;

select 'analytics.songplays' as table_name, count(*) as row_count from analytics.songplays
union all select 'analytics.users', count(*) from analytics.users
union all select 'analytics.songs', count(*) from analytics.songs
union all select 'analytics.artists', count(*) from analytics.artists
union all select 'analytics.time', count(*) from analytics.time;

insert into ops.loaded_objects
select
  cast($1 as bigint),
  objects.kind,
  objects.url,
  objects.etag,
  objects.bytes,
  objects.records_read,
  case
    when objects.kind = 'events'
      then objects.records_read - coalesce(duplicates.records, 0) - coalesce(rejects.records, 0)
    when objects.records_read is not null then coalesce(songs.records, 0)
  end,
  case
    when objects.records_read is null then null
    when objects.kind = 'events' then coalesce(duplicates.records, 0)
    else objects.records_read - coalesce(songs.records, 0) - coalesce(rejects.records, 0)
  end,
  coalesce(rejects.records, 0)
from load_objects as objects
left join (
  select object_no, count(*) as records from load_event_verdicts where is_duplicate = 1 group by object_no
) as duplicates on duplicates.object_no = objects.object_no
left join (select object_no, count(*) as records from load_song_changes group by object_no) as songs
  on songs.object_no = objects.object_no
left join (select object_no, count(*) as records from load_rejects group by object_no) as rejects
  on rejects.object_no = objects.object_no;

insert into ops.rejects
select
  cast($1 as bigint) + row_number() over (
    order by rejects.object_no, coalesce(rejects.line_number, 0), rejects.code
  ),
  cast($2 as varchar(64)),
  cast($3 as bigint),
  rejects.kind,
  objects.url,
  objects.etag,
  rejects.line_number,
  rejects.code,
  rejects.column_name,
  rejects.message,
  rejects.raw_text,
  rejects.raw_truncated,
  cast($4 as timestamp),
  cast(null as bigint)
from load_rejects as rejects
inner join load_objects as objects on objects.object_no = rejects.object_no;

delete from ops.rejects where rejected_at < cast($1 as timestamp);

insert into ops.loads
values (
  cast($1 as bigint), $2, $3, cast($4 as timestamp), cast($5 as bigint),
  cast($6 as bigint), cast($7 as bigint),
  cast($8 as bigint), cast($9 as bigint),
  cast($10 as bigint), cast($11 as bigint),
  cast($12 as bigint), cast($13 as bigint),
  cast($14 as bigint), cast($15 as bigint),
  $16
);

select * from ops.loads where load_id = cast($1 as bigint);

select object_no from load_new_objects order by object_no;

copy load_events (
  artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration,
  sessionid, song, status, ts, useragent, userid
)
from 's3://sparkify-manifests/loads/JOB/1/events-gzip.manifest'
iam_role 'arn:aws:iam::ACCOUNT:role/sparkify-redshift'
region 'us-west-2'
json 'auto ignorecase'
maxerror 100000
compupdate off
statupdate off
manifest
gzip;

select row_no, song_id, artist_id, title
from load_songs
where row_no in (1, 2, 3);

insert into load_rejects values ($1, $2, $3, $4, $5, $6, $7, $8);

delete from load_songs where octet_length(song_id) = 0 or octet_length(artist_id) = 0;

insert into load_rejects values ($1, $2, $3, $4, $5, $6, $7, $8), ($9, $10, $11, $12, $13, $14, $15, $16), ($17, $18, $19, $20, $21, $22, $23, $24), ($25, $26, $27, $28, $29, $30, $31, $32), ($33, $34, $35, $36, $37, $38, $39, $40), ($41, $42, $43, $44, $45, $46, $47, $48), ($49, $50, $51, $52, $53, $54, $55, $56);

select row_no, sessionid, iteminsession, ts, userid
from load_events
where row_no in (1, 2, 3);

insert into load_rejects values ($1, $2, $3, $4, $5, $6, $7, $8), ($9, $10, $11, $12, $13, $14, $15, $16);

delete from load_events where octet_length(page) = 0 or ts < 0 or ts > 253402300799999 or userid < 0;

create temp table load_replayed as
select reject_id, kind, row_number() over (partition by kind order by reject_id) as line_number
from (
  select reject_id, kind
  from ops.rejects
  where replayed_by is null
    and not raw_truncated
    and code not in ('invalid_utf8', 'record_too_large')
    and load_id >= (select coalesce(max(load_id), 0) from ops.loads where mode = 'full')
    and (cast($1 as bigint) is null or load_id = cast($1 as bigint))
    and (cast($2 as varchar(16)) is null or kind = cast($2 as varchar(16)))
    and (cast($3 as varchar(64)) is null or code = cast($3 as varchar(64)))
  order by reject_id
  limit 100000
) as chosen;

select
  coalesce(sum(case when kind = 'events' then 1 else 0 end), 0) as events,
  coalesce(sum(case when kind = 'songs' then 1 else 0 end), 0) as songs
from load_replayed;

select chosen.line_number, rejects.raw_text
from load_replayed as chosen
inner join ops.rejects as rejects on rejects.reject_id = chosen.reject_id
where chosen.kind = $1 and chosen.line_number between cast($2 as bigint) and cast($3 as bigint)
order by chosen.line_number;

select row_no, 'missing_value' as code, column_name, count(*) over () as problems
from (
  select row_no, case when octet_length(song_id) = 0 then 'song_id' else 'artist_id' end as column_name
  from load_songs
  where octet_length(song_id) = 0 or octet_length(artist_id) = 0
) as found
order by row_no
limit 11;

insert into load_rejects values ($1, $2, $3, $4, $5, $6, $7, $8), ($9, $10, $11, $12, $13, $14, $15, $16), ($17, $18, $19, $20, $21, $22, $23, $24), ($25, $26, $27, $28, $29, $30, $31, $32), ($33, $34, $35, $36, $37, $38, $39, $40), ($41, $42, $43, $44, $45, $46, $47, $48);

select row_no, code, column_name, count(*) over () as problems
from (
  select
    row_no,
    case when octet_length(page) = 0 then 'missing_value' else 'out_of_range' end as code,
    case
      when octet_length(page) = 0 then 'page'
      when ts < 0 or ts > 253402300799999 then 'ts'
      else 'userId'
    end as column_name
  from load_events
  where octet_length(page) = 0 or ts < 0 or ts > 253402300799999 or userid < 0
) as found
order by row_no
limit 11;

select count(*) as moved
from load_replayed as chosen
left join ops.rejects as rejects on rejects.reject_id = chosen.reject_id
where rejects.reject_id is null or rejects.replayed_by is not null;

update ops.rejects set replayed_by = cast($1 as bigint)
where reject_id in (
  select chosen.reject_id
  from load_replayed as chosen
  left join load_rejects as again on again.kind = chosen.kind and again.line_number = chosen.line_number
  where again.kind is null
);

select coalesce(max(load_id), 0) as load_id, coalesce(max(data_version), 0) as data_version from ops.loads;

delete from analytics.songplays;

delete from analytics.users;

delete from analytics.songs;

delete from analytics.artists;

delete from analytics.time;

create temp table rebuilt_matches as
select event_id, song_id, artist_id
from (
  select
    plays.event_id,
    songs.song_id,
    songs.artist_id,
    row_number() over (
      partition by plays.event_id
      order by
        case when plays.length is null or songs.duration is null then 1 else 0 end,
        abs(songs.duration - plays.length),
        songs.song_id
    ) as choice
  from staging.events as plays
  inner join staging.songs as songs
    on rtrim(songs.title, ' ') = rtrim(plays.song, ' ') and rtrim(songs.artist_name, ' ') = rtrim(plays.artist, ' ')
  where plays.page = 'NextSong' and plays.userid is not null
) as candidates
where choice = 1;

insert into analytics.songplays
select
  plays.event_id,
  timestamp '1970-01-01 00:00:00'
  + cast((plays.ts - mod(plays.ts, 86400000)) / 86400000 as integer) * interval '1 day'
  + cast((mod(plays.ts, 86400000) - mod(plays.ts, 1000)) / 1000 as integer) * interval '1 second'
  + cast(mod(plays.ts, 1000) as integer) * interval '1 millisecond',
  plays.userid,
  plays.level,
  matches.song_id,
  matches.artist_id,
  plays.sessionid,
  plays.location,
  plays.useragent,
  plays.length
from staging.events as plays
left join rebuilt_matches as matches on matches.event_id = plays.event_id
where plays.page = 'NextSong' and plays.userid is not null;

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
where choice = 1;

insert into analytics.songs
select song_id, title, artist_id, year, duration from staging.songs;

insert into analytics.artists
select artist_id, artist_name, artist_location, artist_latitude, artist_longitude
from (
  select
    artist_id, artist_name, artist_location, artist_latitude, artist_longitude,
    row_number() over (
      partition by artist_id
      order by
        case when artist_latitude is not null and artist_longitude is not null then 0 else 1 end,
        case when artist_location is not null then 0 else 1 end,
        coalesce(year, 0) desc,
        song_id
    ) as choice
  from staging.songs
) as variants
where choice = 1;

select
  (select count(*) from staging.events where load_id = cast($1 as bigint)) as events,
  (
    select count(*) from staging.events
    where load_id = cast($1 as bigint) and page = 'NextSong' and userid is not null
  ) as plays_expected,
  (
    select count(*) from analytics.songplays as plays
    inner join staging.events as events on events.event_id = plays.songplay_id
    where events.load_id = cast($1 as bigint)
  ) as plays,
  (select count(*) from staging.songs where load_id = cast($1 as bigint)) as songs,
  (select coalesce(sum(songs_loaded), 0) from ops.loads where load_id > cast($1 as bigint)) as songs_since,
  (select count(*) from ops.loaded_objects where load_id = cast($1 as bigint)) as objects,
  (select count(*) from ops.rejects where load_id = cast($1 as bigint)) as rejects,
  (select coalesce(min(event_id), 0) from staging.events where load_id = cast($1 as bigint)) as first_event_id,
  (
    select coalesce(min(load_id), 0) from ops.loads where load_id > cast($1 as bigint) and mode = 'full'
  ) as full_since,
  (select max(load_id) from ops.loads) as last_load_id;

delete from staging.events;

delete from staging.songs;

delete from ops.loaded_objects;

select coalesce(max(data_version), 0) as data_version, max(committed_at) as as_of,
  (select max(job_id) from ops.loads where load_id = (select max(load_id) from ops.loads)) as job_id
from ops.loads;

with changed as (
  select user_id
  from analytics.songplays
  where level is not null
  group by user_id
  having min(level) <> max(level)
),
plays as (
  select user_id, start_time, level,
    lag(level) over (partition by user_id order by start_time, session_id, level) as level_before,
    row_number() over (partition by user_id order by start_time, session_id, level) - 1 as plays_before
  from analytics.songplays
  where level is not null
    and user_id in (select user_id from changed)
),
changes as (
  select sp.user_id, sp.start_time, sp.plays_before,
    case when sp.level = 'paid' then 'upgrade' else 'downgrade' end as direction
  from plays sp
  where sp.level <> sp.level_before
    and (cast($1 as date) is null or sp.start_time >= cast($1 as date))
    and (cast($2 as date) is null or sp.start_time < cast($2 as date) + 1)
),
ranked as (
  select ch.start_time as changed_at, ch.user_id, us.first_name, us.last_name, ch.direction, ch.plays_before,
    row_number() over (order by ch.start_time desc, ch.user_id, ch.plays_before desc) as place
  from changes ch
  join analytics.users us on us.user_id = ch.user_id
  where cast($3 as varchar) is null or ch.direction = cast($3 as varchar)
)
select changed_at, user_id, first_name, last_name, direction, plays_before
from ranked
where place <= cast($4 as integer)
order by place;

with counted as (
  select us.gender, sp.level, sp.location, count(distinct sp.user_id) as users, count(sp.songplay_id) as plays
  from analytics.songplays sp
  join analytics.users us on us.user_id = sp.user_id
  where (cast($1 as date) is null or sp.start_time >= cast($1 as date))
    and (cast($2 as date) is null or sp.start_time < cast($2 as date) + 1)
  group by us.gender, sp.level, sp.location
),
ranked as (
  select gender, level, location, users, plays,
    row_number() over (order by plays desc, gender, level, location) as place
  from counted
)
select gender, level, location, users, plays, cast(plays as double precision) / users as plays_per_user
from ranked
where place <= cast($3 as integer)
order by place;

with plays as (
  select sp.songplay_id, sp.user_id, sp.session_id, sp.duration, cast(sp.start_time as date) as day,
    case cast($1 as varchar)
      when 'month' then cast(date_trunc('month', sp.start_time) as date)
      when 'week' then cast(date_trunc('week', sp.start_time) as date)
      else cast(sp.start_time as date)
    end as period_start
  from analytics.songplays sp
  where (cast($2 as date) is null or sp.start_time >= cast($2 as date))
    and (cast($3 as date) is null or sp.start_time < cast($3 as date) + 1)
    and (cast($4 as varchar) is null or sp.level = cast($4 as varchar))
    and (cast($5 as varchar) is null or sp.location = cast($5 as varchar))
),
sittings as (
  select period_start, day, user_id, session_id, count(songplay_id) as plays,
    sum(cast(duration as decimal(18, 5))) as seconds
  from plays
  group by period_start, day, user_id, session_id
),
daily as (
  select period_start, day, count(distinct user_id) as users
  from sittings
  group by period_start, day
),
usual as (
  select period_start, cast(sum(users) as double precision) / count(day) as users
  from daily
  group by period_start
),
sessions as (
  select period_start, user_id, session_id, sum(plays) as plays, sum(seconds) as seconds
  from sittings
  group by period_start, user_id, session_id
),
periods as (
  select period_start, count(distinct user_id) as active_users, count(session_id) as sessions,
    cast(sum(plays) as bigint) as plays, cast(coalesce(sum(seconds), 0) as double precision) as seconds
  from sessions
  group by period_start
)
select periods.period_start, periods.active_users, periods.sessions, periods.plays, periods.seconds,
  usual.users / periods.active_users as stickiness
from periods
join usual on usual.period_start = periods.period_start
order by periods.period_start;

with sessions as (
  select sp.level, sp.user_id, sp.session_id, count(sp.songplay_id) as plays,
    sum(cast(sp.duration as decimal(18, 5))) as seconds
  from analytics.songplays sp
  where (cast($1 as date) is null or sp.start_time >= cast($1 as date))
    and (cast($2 as date) is null or sp.start_time < cast($2 as date) + 1)
    and (cast($3 as varchar) is null or sp.location = cast($3 as varchar))
  group by sp.level, sp.user_id, sp.session_id
),
counted as (
  select level, cast(sum(plays) as bigint) as plays, count(distinct user_id) as users, count(session_id) as sessions,
    cast(coalesce(sum(seconds), 0) as double precision) as seconds
  from sessions
  group by level
)
select level, users, sessions, plays, seconds,
  cast(plays as double precision) / users as plays_per_user,
  cast(plays as double precision) / nullif(sessions, 0) as plays_per_session,
  seconds / users as seconds_per_user,
  seconds / nullif(sessions, 0) as seconds_per_session
from counted
order by level;

with last as (
  select coalesce(cast($1 as date), cast(max(start_time) as date)) as day from analytics.songplays
),
counted as (
  select sp.location, count(distinct sp.user_id) as users,
    cast(sum(case when sp.start_time >= last.day + 1 - cast($2 as integer) then 1 else 0 end) as bigint) as plays,
    cast(sum(case when sp.start_time < last.day + 1 - cast($2 as integer) then 1 else 0 end) as bigint) as plays_before
  from analytics.songplays sp
  cross join last
  where sp.start_time >= last.day + 1 - 2 * cast($2 as integer)
    and sp.start_time < last.day + 1
    and (cast($3 as varchar) is null or sp.level = cast($3 as varchar))
  group by sp.location
),
ranked as (
  select location, plays, plays_before, plays - plays_before as change, users,
    row_number() over (order by plays - plays_before, plays, location) as place
  from counted
)
select location, plays, plays_before, change, users
from ranked
where place <= cast($4 as integer)
order by place;

with last as (
  select coalesce(cast($1 as date), cast(max(start_time) as date)) as day from analytics.songplays
),
counted as (
  select sp.user_id, max(sp.start_time) as last_play,
    cast(sum(case when sp.start_time >= last.day + 1 - cast($2 as integer) then 1 else 0 end) as bigint) as plays,
    cast(sum(case when sp.start_time < last.day + 1 - cast($2 as integer) then 1 else 0 end) as bigint) as past_plays,
    last.day + 1 - cast($2 as integer) - cast(min(sp.start_time) as date) as past_days
  from analytics.songplays sp
  cross join last
  where sp.start_time < last.day + 1
  group by sp.user_id, last.day
),
compared as (
  select user_id, last_play, plays,
    cast(past_plays as double precision) * cast($2 as integer)
      / greatest(past_days, cast($2 as integer)) as usual_plays
  from counted
  where past_days > 0
),
ranked as (
  select us.user_id, us.first_name, us.last_name, us.level, co.last_play, co.plays, co.usual_plays,
    case when co.plays = 0 then 'stopped' else 'less' end as status,
    row_number() over (order by co.usual_plays - co.plays desc, us.user_id) as place
  from compared co
  join analytics.users us on us.user_id = co.user_id
  where co.plays <= co.usual_plays * cast($3 as double precision)
    and (cast($4 as varchar) is null or us.level = cast($4 as varchar))
)
select user_id, first_name, last_name, level, status, last_play, plays, usual_plays
from ranked
where place <= cast($5 as integer)
order by place;

with hours as (
  select 0 as hour
  union all select 1 union all select 2 union all select 3 union all select 4 union all select 5
  union all select 6 union all select 7 union all select 8 union all select 9 union all select 10
  union all select 11 union all select 12 union all select 13 union all select 14 union all select 15
  union all select 16 union all select 17 union all select 18 union all select 19 union all select 20
  union all select 21 union all select 22 union all select 23
),
played as (
  select cast(extract(hour from sp.start_time) as integer) as hour, count(sp.songplay_id) as plays
  from analytics.songplays sp
  where (cast($1 as integer) is null or extract(year from sp.start_time) = cast($1 as integer))
    and (cast($2 as date) is null or sp.start_time >= cast($2 as date))
    and (cast($3 as date) is null or sp.start_time < cast($3 as date) + 1)
    and (cast($4 as varchar) is null or sp.level = cast($4 as varchar))
    and (cast($5 as varchar) is null or sp.location = cast($5 as varchar))
  group by cast(extract(hour from sp.start_time) as integer)
)
select hours.hour, coalesce(played.plays, cast(0 as bigint)) as plays
from hours
left join played on played.hour = hours.hour
order by hours.hour;

with sessions as (
  select sp.location, sp.user_id, sp.session_id, count(sp.songplay_id) as plays,
    sum(cast(sp.duration as decimal(18, 5))) as seconds
  from analytics.songplays sp
  where (cast($1 as date) is null or sp.start_time >= cast($1 as date))
    and (cast($2 as date) is null or sp.start_time < cast($2 as date) + 1)
    and (cast($3 as varchar) is null or sp.level = cast($3 as varchar))
  group by sp.location, sp.user_id, sp.session_id
),
counted as (
  select location, cast(sum(plays) as bigint) as plays, count(distinct user_id) as users, count(session_id) as sessions,
    cast(coalesce(sum(seconds), 0) as double precision) as seconds
  from sessions
  group by location
),
ranked as (
  select location, plays, users, sessions, seconds, row_number() over (order by plays desc, location) as place
  from counted
)
select location, plays, users, sessions, seconds
from ranked
where place <= cast($4 as integer)
order by place;

with months as (
  select cast(extract(year from sp.start_time) as integer) as year,
    cast(extract(month from sp.start_time) as integer) as month, count(sp.songplay_id) as plays,
    count(distinct sp.user_id) as users,
    cast(coalesce(sum(cast(sp.duration as decimal(18, 5))), 0) as double precision) as seconds
  from analytics.songplays sp
  where (cast($1 as date) is null or sp.start_time >= cast($1 as date))
    and (cast($2 as date) is null or sp.start_time < cast($2 as date) + 1)
    and (cast($3 as varchar) is null or sp.level = cast($3 as varchar))
    and (cast($4 as varchar) is null or sp.location = cast($4 as varchar))
  group by cast(extract(year from sp.start_time) as integer), cast(extract(month from sp.start_time) as integer)
)
select year, month, plays, users, seconds, plays - lag(plays) over (order by year, month) as change
from months
order by year, month;

with weekdays as (
  select 0 as weekday
  union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all select 6
),
played as (
  select cast(extract(dow from sp.start_time) as integer) as weekday, count(sp.songplay_id) as plays, count(distinct sp.user_id) as users
  from analytics.songplays sp
  where (cast($1 as date) is null or sp.start_time >= cast($1 as date))
    and (cast($2 as date) is null or sp.start_time < cast($2 as date) + 1)
    and (cast($3 as varchar) is null or sp.level = cast($3 as varchar))
    and (cast($4 as varchar) is null or sp.location = cast($4 as varchar))
  group by cast(extract(dow from sp.start_time) as integer)
)
select weekdays.weekday, coalesce(played.plays, cast(0 as bigint)) as plays,
  coalesce(played.users, cast(0 as bigint)) as users
from weekdays
left join played on played.weekday = weekdays.weekday
order by weekdays.weekday;

with weeks as (
  select distinct user_id, cast(date_trunc('week', start_time) as date) as week from analytics.songplays
),
cohorts as (
  select user_id, min(week) as cohort_week from weeks group by user_id
),
sizes as (
  select cohort_week, count(user_id) as users from cohorts group by cohort_week
),
active as (
  select co.cohort_week, cast((we.week - co.cohort_week) / 7 as integer) as week, count(we.user_id) as active_users
  from cohorts co
  join weeks we on we.user_id = co.user_id
  group by co.cohort_week, we.week
)
select ac.cohort_week, ac.week, si.users, ac.active_users, cast(ac.active_users as double precision) / si.users as share
from active ac
join sizes si on si.cohort_week = ac.cohort_week
where ac.week <= cast($1 as integer)
  and (cast($2 as date) is null or ac.cohort_week >= cast($2 as date))
  and (cast($3 as date) is null or ac.cohort_week <= cast($3 as date))
order by ac.cohort_week, ac.week;

with sizes as (
  select '1' as plays_in_session, 1 as fewest, 1 as most
  union all select '2-5', 2, 5 union all select '6-20', 6, 20 union all select '21-50', 21, 50
  union all select '51 or more', 51, 2147483647
),
starts as (
  select sp.user_id, sp.session_id, sp.songplay_id, coalesce(sp.duration, 0) as duration,
    (cast(sp.start_time as date) - cast('1970-01-01' as date)) * cast(86400 as bigint)
      + cast(extract(hour from sp.start_time) as integer) * 3600
      + cast(extract(minute from sp.start_time) as integer) * 60
      + cast(floor(extract(second from sp.start_time)) as integer) as second
  from analytics.songplays sp
  where (cast($1 as date) is null or sp.start_time >= cast($1 as date))
    and (cast($2 as date) is null or sp.start_time < cast($2 as date) + 1)
    and (cast($3 as varchar) is null or sp.level = cast($3 as varchar))
    and (cast($4 as varchar) is null or sp.location = cast($4 as varchar))
),
spans as (
  select user_id, session_id, count(songplay_id) as plays,
    max(second + cast(floor(duration) as bigint)) - min(second) as seconds
  from starts
  group by user_id, session_id
)
select sizes.plays_in_session, count(spans.plays) as sessions, count(distinct spans.user_id) as users,
  cast(coalesce(sum(spans.plays), 0) as bigint) as plays,
  cast(sum(spans.plays) as double precision) / nullif(count(spans.plays), 0) as mean_plays,
  cast(sum(spans.seconds) as double precision) / nullif(count(spans.plays), 0) as mean_seconds
from sizes
left join spans on spans.plays between sizes.fewest and sizes.most
group by sizes.plays_in_session, sizes.fewest
order by sizes.fewest;

with months as (
  select extract(year from start_time) as year, extract(month from start_time) as month, count(songplay_id) as plays,
    count(song_id) as matched_plays, count(distinct song_id) as songs
  from analytics.songplays
  where (cast($1 as date) is null or start_time >= cast($1 as date))
    and (cast($2 as date) is null or start_time < cast($2 as date) + 1)
    and (cast($3 as varchar) is null or level = cast($3 as varchar))
    and (cast($4 as varchar) is null or location = cast($4 as varchar))
  group by extract(year from start_time), extract(month from start_time)
)
select cast(year as integer) as year, cast(month as integer) as month, plays, matched_plays, songs,
  cast(matched_plays as double precision) / plays as share
from months
order by year, month;

with played as (
  select sp.artist_id, count(sp.songplay_id) as plays
  from analytics.songplays sp
  where (extract(year from sp.start_time) = cast($1 as integer) or cast($2 as date) is not null or cast($3 as date) is not null)
    and (cast($2 as date) is null or sp.start_time >= cast($2 as date))
    and (cast($3 as date) is null or sp.start_time < cast($3 as date) + 1)
    and (cast($4 as varchar) is null or sp.level = cast($4 as varchar))
    and (cast($5 as varchar) is null or sp.location = cast($5 as varchar))
  group by sp.artist_id
),
ranked as (
  select art.artist_id, art.name, played.plays,
    row_number() over (order by played.plays desc, art.artist_id) as place
  from played
  join analytics.artists art on art.artist_id = played.artist_id
)
select artist_id, name, plays
from ranked
where place <= cast($6 as integer)
order by place;

with played as (
  select sp.song_id, sp.artist_id, cast(extract(year from sp.start_time) as integer) as year,
    cast(extract(month from sp.start_time) as integer) as month, count(sp.songplay_id) as plays
  from analytics.songplays sp
  where (extract(year from sp.start_time) = cast($1 as integer) or cast($2 as date) is not null or cast($3 as date) is not null)
    and (cast($2 as date) is null or sp.start_time >= cast($2 as date))
    and (cast($3 as date) is null or sp.start_time < cast($3 as date) + 1)
    and (cast($4 as varchar) is null or sp.level = cast($4 as varchar))
    and (cast($5 as varchar) is null or sp.location = cast($5 as varchar))
  group by sp.song_id, sp.artist_id, cast(extract(year from sp.start_time) as integer),
    cast(extract(month from sp.start_time) as integer)
),
ranked as (
  select played.song_id, sn.title, played.artist_id, art.name, played.month, played.year, played.plays,
    row_number() over (order by played.plays desc, played.song_id desc, played.month, played.artist_id) as place
  from played
  join analytics.songs sn on sn.song_id = played.song_id
  join analytics.artists art on art.artist_id = sn.artist_id
)
select song_id, title, artist_id, name, month, year, plays
from ranked
where place <= cast($6 as integer)
order by place;

with last as (
  select coalesce(cast($1 as date), cast(max(start_time) as date)) as day from analytics.songplays
),
counted as (
  select sp.artist_id, art.name,
    cast(sum(case when sp.start_time >= last.day + 1 - cast($2 as integer) then 1 else 0 end) as bigint) as plays,
    cast(sum(case when sp.start_time < last.day + 1 - cast($2 as integer) then 1 else 0 end) as bigint) as plays_before
  from analytics.songplays sp
  cross join last
  join analytics.artists art on art.artist_id = sp.artist_id
  where sp.start_time >= last.day + 1 - 2 * cast($2 as integer)
    and sp.start_time < last.day + 1
    and (cast($3 as varchar) is null or sp.level = cast($3 as varchar))
  group by sp.artist_id, art.name
),
ranked as (
  select artist_id, name, plays, plays_before, plays - plays_before as change,
    row_number() over (order by plays - plays_before desc, plays desc, artist_id) as place
  from counted
)
select artist_id, name, plays, plays_before, change
from ranked
where place <= cast($4 as integer)
order by place;

with last as (
  select coalesce(cast($1 as date), cast(max(start_time) as date)) as day from analytics.songplays
),
counted as (
  select sp.song_id, sn.title, art.name,
    cast(sum(case when sp.start_time >= last.day + 1 - cast($2 as integer) then 1 else 0 end) as bigint) as plays,
    cast(sum(case when sp.start_time < last.day + 1 - cast($2 as integer) then 1 else 0 end) as bigint) as plays_before
  from analytics.songplays sp
  cross join last
  join analytics.songs sn on sn.song_id = sp.song_id
  join analytics.artists art on art.artist_id = sn.artist_id
  where sp.start_time >= last.day + 1 - 2 * cast($2 as integer)
    and sp.start_time < last.day + 1
    and (cast($3 as varchar) is null or sp.level = cast($3 as varchar))
  group by sp.song_id, sn.title, art.name
),
ranked as (
  select song_id, title, name, plays, plays_before, plays - plays_before as change,
    row_number() over (order by plays - plays_before desc, plays desc, song_id) as place
  from counted
)
select song_id, title, name, plays, plays_before, change
from ranked
where place <= cast($4 as integer)
order by place;

with sessions as (
  select sp.user_agent, sp.user_id, sp.session_id, count(sp.songplay_id) as plays,
    sum(case when sp.level = 'paid' then 1 else 0 end) as paid_plays
  from analytics.songplays sp
  where (cast($1 as date) is null or sp.start_time >= cast($1 as date))
    and (cast($2 as date) is null or sp.start_time < cast($2 as date) + 1)
    and (cast($3 as varchar) is null or sp.level = cast($3 as varchar))
    and (cast($4 as varchar) is null or sp.location = cast($4 as varchar))
  group by sp.user_agent, sp.user_id, sp.session_id
),
agents as (
  select sp.user_id, sp.session_id, sp.plays, sp.paid_plays,
    case
      when sp.user_agent is null then 'unknown'
      when sp.user_agent like '%Firefox/%' or sp.user_agent like '%FxiOS/%' then 'Firefox'
      when sp.user_agent like '%Edge/%' or sp.user_agent like '%Edg/%' then 'Edge'
      when sp.user_agent like '%OPR/%' or sp.user_agent like '%Opera%' then 'Opera'
      when sp.user_agent like '%Chrome/%' or sp.user_agent like '%CriOS/%' then 'Chrome'
      when sp.user_agent like '%MSIE %' or sp.user_agent like '%Trident/%' then 'Internet Explorer'
      when sp.user_agent like '%Safari/%' or sp.user_agent like '%AppleWebKit/%' then 'Safari'
      else 'other'
    end as browser,
    case
      when sp.user_agent is null then 'unknown'
      when sp.user_agent like '%iPhone%' or sp.user_agent like '%iPod%' then 'iPhone'
      when sp.user_agent like '%iPad%' then 'iPad'
      when sp.user_agent like '%Android%' then 'Android'
      when sp.user_agent like '%Windows%' then 'Windows'
      when sp.user_agent like '%Macintosh%' then 'Mac'
      when sp.user_agent like '%Linux%' or sp.user_agent like '%X11%' then 'Linux'
      else 'other'
    end as platform
  from sessions sp
),
counted as (
  select browser, platform, cast(sum(plays) as bigint) as plays, count(distinct user_id) as users,
    count(distinct cast(user_id as varchar) || '-' || cast(session_id as varchar)) as sessions,
    cast(sum(paid_plays) as bigint) as paid_plays
  from agents
  group by browser, platform
)
select browser, platform, plays, users, sessions,
  cast(plays as double precision) / nullif(sessions, 0) as plays_per_session,
  cast(paid_plays as double precision) / plays as paid_share
from counted
order by plays desc, browser, platform;

select level, count(user_id) as users
from analytics.users
group by level
order by users desc, level;
