update load_songs set artist_location = null where octet_length(artist_location) = 0
