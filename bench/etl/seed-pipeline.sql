-- The pipeline of the usual Sparkify scripts, on PostgreSQL: COPY to staging, then INSERT ... SELECT into the star.
-- COPY takes no JSON there, so each line comes in as text and its values are taken out of it.
create unlogged table raw_events (line text);
create unlogged table raw_songs (line text);
:copies
create unlogged table staging_events as
select e->>'artist' as artist, e->>'auth' as auth, e->>'firstName' as first_name, e->>'gender' as gender,
  (e->>'itemInSession')::bigint as item_in_session, e->>'lastName' as last_name, (e->>'length')::double precision as length,
  e->>'level' as level, e->>'location' as location, e->>'method' as method, e->>'page' as page,
  (e->>'registration')::double precision as registration, (e->>'sessionId')::bigint as session_id, e->>'song' as song,
  (e->>'status')::bigint as status, (e->>'ts')::bigint as ts, e->>'userAgent' as user_agent,
  nullif(e->>'userId', '')::bigint as user_id
from (select line::json as e from raw_events) as events;
create unlogged table staging_songs as
select e->>'song_id' as song_id, e->>'title' as title, e->>'artist_id' as artist_id, e->>'artist_name' as artist_name,
  e->>'artist_location' as artist_location, (e->>'artist_latitude')::double precision as artist_latitude,
  (e->>'artist_longitude')::double precision as artist_longitude, (e->>'duration')::double precision as duration,
  (e->>'year')::bigint as year
from (select line::json as e from raw_songs) as songs;
analyze staging_events;
analyze staging_songs;
create unlogged table songplays (songplay_id bigint generated always as identity, start_time timestamp, user_id bigint, level text,
  song_id text, artist_id text, session_id bigint, location text, user_agent text);
insert into songplays (start_time, user_id, level, song_id, artist_id, session_id, location, user_agent)
select timestamp 'epoch' + e.ts / 1000.0 * interval '1 second', e.user_id, e.level, s.song_id, s.artist_id, e.session_id, e.location,
  e.user_agent
from staging_events e left join staging_songs s on e.song = s.title and e.artist = s.artist_name
where e.page = 'NextSong';
create unlogged table users as
select distinct user_id, first_name, last_name, gender, level from staging_events where page = 'NextSong';
create unlogged table songs as select distinct song_id, title, artist_id, year, duration from staging_songs;
create unlogged table artists as
select distinct artist_id, artist_name as name, artist_location as location, artist_latitude as latitude,
  artist_longitude as longitude
from staging_songs;
create unlogged table "time" as
select start_time, extract(hour from start_time) as hour, extract(day from start_time) as day, extract(week from start_time) as week,
  extract(month from start_time) as month, extract(year from start_time) as year, extract(dow from start_time) as weekday
from (select distinct start_time from songplays) as moments
