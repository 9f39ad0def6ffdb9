-- What is there now of what a load says it left.
-- :load_id -> events, plays_expected, plays, songs, songs_since, objects, rejects, first_event_id, full_since, last_load_id
select
  (select count(*) from staging.events where load_id = cast(:load_id as bigint)) as events,
  (
    select count(*) from staging.events
    where load_id = cast(:load_id as bigint) and page = 'NextSong' and userid is not null
  ) as plays_expected,
  (
    select count(*) from analytics.songplays as plays
    inner join staging.events as events on events.event_id = plays.songplay_id
    where events.load_id = cast(:load_id as bigint)
  ) as plays,
  (select count(*) from staging.songs where load_id = cast(:load_id as bigint)) as songs,
  (select coalesce(sum(songs_loaded), 0) from ops.loads where load_id > cast(:load_id as bigint)) as songs_since,
  (select count(*) from ops.loaded_objects where load_id = cast(:load_id as bigint)) as objects,
  (select count(*) from ops.rejects where load_id = cast(:load_id as bigint)) as rejects,
  (select coalesce(min(event_id), 0) from staging.events where load_id = cast(:load_id as bigint)) as first_event_id,
  (
    select coalesce(min(load_id), 0) from ops.loads where load_id > cast(:load_id as bigint) and mode = 'full'
  ) as full_since,
  (select max(load_id) from ops.loads) as last_load_id
