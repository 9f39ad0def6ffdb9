insert into analytics.songs
select song_id, title, artist_id, year, duration from staging.songs
