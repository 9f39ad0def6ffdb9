delete from analytics.songplays using load_rematched_plays
where analytics.songplays.songplay_id = load_rematched_plays.event_id
