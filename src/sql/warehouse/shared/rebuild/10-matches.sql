-- The song of every play: equal title and artist name, trailing blanks apart; of several the nearest in length, then
-- the smallest song_id.
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
where choice = 1
