/*
title: Top artists
question: Which artists were played most in a year?
description: >-
  Counts the plays that match a song of the catalogue. Artists with equal plays are ordered by artist_id.
parameters:
  year:
    type: integer
    default: 2018
    minimum: 1970
    maximum: 9999
    description: Year of the plays, UTC.
  limit:
    type: integer
    default: 5
    minimum: 1
    maximum: 1000
    description: Rows to answer at most.
columns:
  artist_id: { type: string, example: AREXAMPLE1187B9A1D7 }
  name: { type: string, description: Name of the artist., example: The Night Shift }
  plays: { type: integer, unit: plays, example: 71 }
*/
-- On the default year and the limit as a comparison see top-songs.sql.
with played as (
  select art.artist_id, art.name, count(sp.songplay_id) as plays
  from analytics.artists art
  join analytics.songplays sp on sp.artist_id = art.artist_id
  join analytics.time tm on tm.start_time = sp.start_time
  where tm.year = cast(:year as integer)
  group by art.artist_id, art.name
),
ranked as (
  select artist_id, name, plays, row_number() over (order by plays desc, artist_id) as place
  from played
)
select artist_id, name, plays
from ranked
where place <= cast(:limit as integer)
order by place;
