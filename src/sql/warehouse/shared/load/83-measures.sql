-- What the new rows look like, for a comparison with the loads before.
-- :load_id :event_id_base -> plays, songs, and how many of them lack what
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
  from analytics.songplays where songplay_id > cast(:event_id_base as bigint)
) as plays
cross join (
  select
    count(*) as songs,
    count(*) - count(case when year > 0 then 1 end) as songs_without_year,
    count(*) - count(duration) as songs_without_duration,
    count(*) - count(artist_location) as songs_without_artist_location
  from staging.songs where load_id = cast(:load_id as bigint)
) as songs
