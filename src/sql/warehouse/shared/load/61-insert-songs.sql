insert into analytics.songs
select song_id, title, artist_id, year, duration from load_song_changes
