-- Of an artist's variants the one with coordinates, then with a location, then of the latest year, then of the
-- smallest song_id.
insert into analytics.artists
select artist_id, artist_name, artist_location, artist_latitude, artist_longitude
from (
  select
    artist_id, artist_name, artist_location, artist_latitude, artist_longitude,
    row_number() over (
      partition by artist_id
      order by
        case when artist_latitude is not null and artist_longitude is not null then 0 else 1 end,
        case when artist_location is not null then 0 else 1 end,
        coalesce(year, 0) desc,
        song_id
    ) as choice
  from staging.songs
) as variants
where choice = 1
