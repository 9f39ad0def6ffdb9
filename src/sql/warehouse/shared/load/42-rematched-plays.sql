-- The affected plays whose song is another one now.
create temp table load_rematched_plays as
select affected.event_id
from load_affected_plays as affected
inner join analytics.songplays as plays on plays.songplay_id = affected.event_id
left join load_matches as matches on matches.event_id = affected.event_id
where coalesce(plays.song_id, '') <> coalesce(matches.song_id, '')
  or coalesce(plays.artist_id, '') <> coalesce(matches.artist_id, '')
