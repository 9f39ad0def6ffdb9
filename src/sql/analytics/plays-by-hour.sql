/*
title: Plays by hour
question: At which hours of the day do people listen?
description: Counts every play, matched to a song or not. All 24 hours are there, with 0 where nobody listened.
parameters:
  year:
    type: integer
    minimum: 1970
    maximum: 9999
    description: Only plays of this year, UTC. Without it, plays of all years.
    example: 2018
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
columns:
  hour: { type: integer, description: 'Hour of the day, from 0 to 23, UTC.', example: 17 }
  plays: { type: integer, unit: plays, example: 250 }
chart: { type: columns, x: [hour], y: [plays] }
*/
-- The parts of a moment are taken from the play itself: joining every play to its moment takes most of the time.
-- The hours are constants because generate_series cannot be joined to tables on Redshift.
with hours as (
  select 0 as hour
  union all select 1 union all select 2 union all select 3 union all select 4 union all select 5
  union all select 6 union all select 7 union all select 8 union all select 9 union all select 10
  union all select 11 union all select 12 union all select 13 union all select 14 union all select 15
  union all select 16 union all select 17 union all select 18 union all select 19 union all select 20
  union all select 21 union all select 22 union all select 23
),
played as (
  select cast(extract(hour from sp.start_time) as integer) as hour, count(sp.songplay_id) as plays
  from analytics.songplays sp
  where (cast(:year as integer) is null or extract(year from sp.start_time) = cast(:year as integer))
    and (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
  group by cast(extract(hour from sp.start_time) as integer)
)
select hours.hour, coalesce(played.plays, cast(0 as bigint)) as plays
from hours
left join played on played.hour = hours.hour
order by hours.hour;
