delete from staging.songs using load_song_changes where staging.songs.song_id = load_song_changes.song_id
