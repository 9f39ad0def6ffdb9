-- The song of each new or affected play: equal title and artist name, trailing blanks apart; of several the nearest
-- in length, then the smallest song_id.
-- :event_id_base -> nothing
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
    select cast(:event_id_base as bigint) + staged.row_no as event_id, staged.song, staged.artist, staged.length
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
where choice = 1
