-- Plays of earlier loads that the changed songs may match now, or matched until now.
-- :load_id -> nothing
create temp table load_affected_plays as
select events.event_id
from staging.events as events
inner join (
  select rtrim(title, ' ') as title, rtrim(artist_name, ' ') as artist_name from load_song_changes
  union
  select rtrim(old_title, ' '), rtrim(old_artist_name, ' ') from load_song_changes where replaces is not null
) as songs
  on songs.title = rtrim(events.song, ' ') and songs.artist_name = rtrim(events.artist, ' ')
where events.load_id <> cast(:load_id as bigint) and events.page = 'NextSong' and events.userid is not null
