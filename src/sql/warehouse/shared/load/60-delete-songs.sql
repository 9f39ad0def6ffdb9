delete from analytics.songs using load_song_changes where analytics.songs.song_id = load_song_changes.song_id
