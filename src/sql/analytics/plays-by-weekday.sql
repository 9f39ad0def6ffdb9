/*
title: Plays by weekday
question: On which days of the week do people listen?
description: >-
  All seven weekdays are there, with 0 where nobody listened.
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
  weekday: { type: integer, description: 'From 0, Sunday, to 6, Saturday, UTC.', example: 5 }
  plays: { type: integer, unit: plays, example: 1200 }
  users: { type: integer, unit: users, example: 60 }
chart: { type: columns, x: [weekday], y: [plays] }
*/
with weekdays as (
  select 0 as weekday
  union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all select 6
),
played as (
  select cast(extract(dow from sp.start_time) as integer) as weekday, count(sp.songplay_id) as plays, count(distinct sp.user_id) as users
  from analytics.songplays sp
  where (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
  group by cast(extract(dow from sp.start_time) as integer)
)
select weekdays.weekday, coalesce(played.plays, cast(0 as bigint)) as plays,
  coalesce(played.users, cast(0 as bigint)) as users
from weekdays
left join played on played.weekday = weekdays.weekday
order by weekdays.weekday;
