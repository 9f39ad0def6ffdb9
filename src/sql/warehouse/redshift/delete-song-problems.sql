delete from load_songs where octet_length(song_id) = 0 or octet_length(artist_id) = 0
