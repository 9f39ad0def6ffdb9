-- What happened to the records, counted from the rows themselves.
-- :load_id -> objects, events_loaded, events_duplicates, events_rejected, the same of songs
select
  (select count(*) from load_objects) as objects,
  (select count(*) from staging.events where load_id = cast(:load_id as bigint)) as events_loaded,
  (select count(*) from load_event_verdicts where is_duplicate = 1) as events_duplicates,
  (select count(*) from load_rejects where kind = 'events') as events_rejected,
  (select count(*) from staging.songs where load_id = cast(:load_id as bigint)) as songs_loaded,
  (select count(*) from load_songs) - (select count(*) from load_song_changes) as songs_duplicates,
  (select count(*) from load_rejects where kind = 'songs') as songs_rejected
