/*
title: Top songs
question: Which songs were played most in a year?
description: >-
  Counts the plays that match a song of the catalogue. A song has one row for each month in which it was
  played, so a song played in two months can stand twice. Songs with equal plays are ordered by song_id,
  descending.
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
  song_id: { type: string, example: SOEXAMPLE12AB01A1C2 }
  title: { type: string, example: Paper Lanterns }
  artist_id: { type: string, example: AREXAMPLE1187B9A1D7 }
  name: { type: string, description: Name of the artist., example: The Night Shift }
  month: { type: integer, description: 'Month of the plays, from 1 to 12, UTC.', example: 11 }
  year: { type: integer, description: 'Year of the plays, UTC.', example: 2018 }
  plays: { type: integer, unit: plays, example: 64 }
chart: { type: bars, x: [title, name], y: [plays] }
*/
-- The default year is the seed documents' own: the same call gives the same answer on every day of every
-- year, where "this year" would not. The limit is a comparison because Redshift takes no bound LIMIT
-- (XX000, IsA(cons, Const)). song_id descends because the known results order their ties so.
with played as (
  select sp.song_id, sp.artist_id, cast(extract(year from sp.start_time) as integer) as year,
    cast(extract(month from sp.start_time) as integer) as month, count(sp.songplay_id) as plays
  from analytics.songplays sp
  where (extract(year from sp.start_time) = cast(:year as integer) or cast(:from as date) is not null or cast(:to as date) is not null)
    and (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
  group by sp.song_id, sp.artist_id, cast(extract(year from sp.start_time) as integer),
    cast(extract(month from sp.start_time) as integer)
),
ranked as (
  select played.song_id, sn.title, played.artist_id, art.name, played.month, played.year, played.plays,
    row_number() over (order by played.plays desc, played.song_id desc, played.month, played.artist_id) as place
  from played
  join analytics.songs sn on sn.song_id = played.song_id
  join analytics.artists art on art.artist_id = sn.artist_id
)
select song_id, title, artist_id, name, month, year, plays
from ranked
where place <= cast(:limit as integer)
order by place;
