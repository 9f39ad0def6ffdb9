/*
title: Lagging locations
question: Which locations lag behind?
description: >-
  Compares the plays of a period at each location with those of the period of equal length before it. The
  largest loss comes first; equal ones are ordered by plays, fewest first, then by location. Locations
  without a play in both periods are left out.
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
    default: 20
    minimum: 1
    maximum: 1000
    description: Rows to answer at most.
columns:
  location: { type: string, example: 'New York-Newark-Jersey City, NY-NJ-PA' }
  plays: { type: integer, unit: plays, description: 'Plays in the period.', example: 40 }
  plays_before: { type: integer, unit: plays, description: 'Plays in the period before.', example: 64 }
  change: { type: integer, unit: plays, description: 'plays less plays_before.', example: -24 }
  users: { type: integer, unit: users, description: 'Users who listened in either period.', example: 9 }
chart: { type: bars, x: [location], y: [plays, plays_before] }
*/
with last as (
  select coalesce(cast(:to as date), cast(max(start_time) as date)) as day from analytics.songplays
),
counted as (
  select sp.location, count(distinct sp.user_id) as users,
    cast(sum(case when sp.start_time >= last.day + 1 - cast(:days as integer) then 1 else 0 end) as bigint) as plays,
    cast(sum(case when sp.start_time < last.day + 1 - cast(:days as integer) then 1 else 0 end) as bigint) as plays_before
  from analytics.songplays sp
  cross join last
  where sp.start_time >= last.day + 1 - 2 * cast(:days as integer)
    and sp.start_time < last.day + 1
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
  group by sp.location
),
ranked as (
  select location, plays, plays_before, plays - plays_before as change, users,
    row_number() over (order by plays - plays_before, plays, location) as place
  from counted
)
select location, plays, plays_before, change, users
from ranked
where place <= cast(:limit as integer)
order by place;
