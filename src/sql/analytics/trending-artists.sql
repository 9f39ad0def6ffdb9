/*
title: Trending artists
question: Which artists are played more than before?
description: >-
  Compares the plays of a period with those of the period of equal length before it, of artists that were
  played in either. The largest gain comes first; equal ones are ordered by plays, then by artist_id. Plays
  that match no song of the catalogue are not counted.
parameters:
  to:
    type: date
    description: Last day of the period, UTC, included. Without it, the day of the last play.
    example: '2018-11-30'
  days:
    type: integer
    default: 7
    minimum: 1
    maximum: 366
    description: Length of the period, and of the one before it, in days.
  level:
    type: string
    enum: [free, paid]
    description: Only plays of users who were free, or paying, when they listened.
    example: paid
  limit:
    type: integer
    default: 10
    minimum: 1
    maximum: 1000
    description: Rows to answer at most.
columns:
  artist_id: { type: string, example: AREXAMPLE1187B9A1D7 }
  name: { type: string, description: 'Name of the artist.', example: The Night Shift }
  plays: { type: integer, unit: plays, description: 'Plays in the period.', example: 64 }
  plays_before: { type: integer, unit: plays, description: 'Plays in the period before.', example: 40 }
  change: { type: integer, unit: plays, description: 'plays less plays_before.', example: 24 }
chart: { type: bars, x: [name], y: [plays, plays_before] }
*/
with last as (
  select coalesce(cast(:to as date), cast(max(start_time) as date)) as day from analytics.songplays
),
counted as (
  select sp.artist_id, art.name,
    cast(sum(case when sp.start_time >= last.day + 1 - cast(:days as integer) then 1 else 0 end) as bigint) as plays,
    cast(sum(case when sp.start_time < last.day + 1 - cast(:days as integer) then 1 else 0 end) as bigint) as plays_before
  from analytics.songplays sp
  cross join last
  join analytics.artists art on art.artist_id = sp.artist_id
  where sp.start_time >= last.day + 1 - 2 * cast(:days as integer)
    and sp.start_time < last.day + 1
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
  group by sp.artist_id, art.name
),
ranked as (
  select artist_id, name, plays, plays_before, plays - plays_before as change,
    row_number() over (order by plays - plays_before desc, plays desc, artist_id) as place
  from counted
)
select artist_id, name, plays, plays_before, change
from ranked
where place <= cast(:limit as integer)
order by place;
