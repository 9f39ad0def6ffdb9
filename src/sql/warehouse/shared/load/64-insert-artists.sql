-- Of an artist's variants the one with coordinates, then with a location, then of the latest year, then of the
-- smallest song_id.
insert into analytics.artists
select artist_id, artist_name, artist_location, artist_latitude, artist_longitude
from (
  select
    songs.artist_id, songs.artist_name, songs.artist_location, songs.artist_latitude, songs.artist_longitude,
    row_number() over (
      partition by songs.artist_id
      order by
        case when songs.artist_latitude is not null and songs.artist_longitude is not null then 0 else 1 end,
        case when songs.artist_location is not null then 0 else 1 end,
        coalesce(songs.year, 0) desc,
        songs.song_id
    ) as choice
  from staging.songs as songs
  inner join load_affected_artists as affected on affected.artist_id = songs.artist_id
) as variants
where choice = 1
