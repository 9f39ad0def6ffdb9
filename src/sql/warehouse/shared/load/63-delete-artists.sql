delete from analytics.artists using load_affected_artists
where analytics.artists.artist_id = load_affected_artists.artist_id
