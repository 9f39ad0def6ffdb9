-- Artists of the changed songs, as they are and as they were.
create temp table load_affected_artists as
select artist_id from load_song_changes
union
select old_artist_id from load_song_changes where replaces is not null
