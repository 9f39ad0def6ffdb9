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
    description: Year of the plays, UTC; where from or to is given, these count alone.
  from:
    type: date
    description: First day of the plays, UTC. Without it, from the first play on.
    example: '2018-11-01'
  to:
    type: date
    description: Last day of the plays, UTC, included. Without it, up to the last play.
    example: '2018-11-30'
  level:
    type: string
    enum: [free, paid]
    description: Only plays of users who were free, or paying, when they listened.
    example: paid
  location:
    type: string
    description: Only plays at this location, as the events spell it.
    example: 'New York-Newark-Jersey City, NY-NJ-PA'
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
chart: { type: bars, x: [name], y: [plays] }
*/
-- On the default year and the limit as a comparison see top-songs.sql.
with played as (
  select sp.artist_id, count(sp.songplay_id) as plays
  from analytics.songplays sp
  where (extract(year from sp.start_time) = cast(:year as integer) or cast(:from as date) is not null or cast(:to as date) is not null)
    and (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
  group by sp.artist_id
),
ranked as (
  select art.artist_id, art.name, played.plays,
    row_number() over (order by played.plays desc, art.artist_id) as place
  from played
  join analytics.artists art on art.artist_id = played.artist_id
)
select artist_id, name, plays
from ranked
where place <= cast(:limit as integer)
order by place;
