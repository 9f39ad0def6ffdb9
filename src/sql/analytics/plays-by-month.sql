/*
title: Plays by month
question: In which months do people listen less?
description: >-
  One row for each month in which anybody listened, in order, with the change against the month in the row
  before.
parameters:
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
  year: { type: integer, example: 2018 }
  month: { type: integer, description: 'From 1 to 12, UTC.', example: 11 }
  plays: { type: integer, unit: plays, example: 6820 }
  users: { type: integer, unit: users, example: 96 }
  seconds: { type: number, unit: seconds, description: 'Time listened.', example: 1650000.5 }
  change: { type: integer, unit: plays, description: 'plays less those of the row before; null in the first row.', example: -120 }
chart: { type: columns, x: [year, month], y: [plays] }
*/
with months as (
  select cast(extract(year from sp.start_time) as integer) as year,
    cast(extract(month from sp.start_time) as integer) as month, count(sp.songplay_id) as plays,
    count(distinct sp.user_id) as users,
    cast(coalesce(sum(cast(sp.duration as decimal(18, 5))), 0) as double precision) as seconds
  from analytics.songplays sp
  where (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
  group by cast(extract(year from sp.start_time) as integer), cast(extract(month from sp.start_time) as integer)
)
select year, month, plays, users, seconds, plays - lag(plays) over (order by year, month) as change
from months
order by year, month;
