/*
title: Conversions
question: Who changes from free to paid, and back?
description: >-
  One row for each play at which a user has another level than at the play before. The latest comes first;
  equal ones are ordered by user_id.
parameters:
  from:
    type: date
    description: First day of the plays, UTC. Without it, from the first play on.
    example: '2018-11-01'
  to:
    type: date
    description: Last day of the plays, UTC, included. Without it, up to the last play.
    example: '2018-11-30'
  direction:
    type: string
    enum: [upgrade, downgrade]
    description: Only changes from free to paid, or from paid to free.
    example: upgrade
  limit:
    type: integer
    default: 100
    minimum: 1
    maximum: 1000
    description: Rows to answer at most.
columns:
  changed_at: { type: timestamp, description: 'The first play at the new level, UTC.', example: '2018-11-20T17:05:00.796Z' }
  user_id: { type: integer, example: 15 }
  first_name: { type: string, example: Lily }
  last_name: { type: string, example: Koch }
  direction: { type: string, description: 'upgrade, from free to paid, or downgrade.', example: upgrade }
  plays_before: { type: integer, unit: plays, description: 'Plays of the user up to then.', example: 37 }
chart: { type: bars, x: [first_name, last_name, direction], y: [plays_before] }
*/
with changed as (
  select user_id
  from analytics.songplays
  where level is not null
  group by user_id
  having min(level) <> max(level)
),
plays as (
  select user_id, start_time, level,
    lag(level) over (partition by user_id order by start_time, session_id, level) as level_before,
    row_number() over (partition by user_id order by start_time, session_id, level) - 1 as plays_before
  from analytics.songplays
  where level is not null
    and user_id in (select user_id from changed)
),
changes as (
  select sp.user_id, sp.start_time, sp.plays_before,
    case when sp.level = 'paid' then 'upgrade' else 'downgrade' end as direction
  from plays sp
  where sp.level <> sp.level_before
    and (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
),
ranked as (
  select ch.start_time as changed_at, ch.user_id, us.first_name, us.last_name, ch.direction, ch.plays_before,
    row_number() over (order by ch.start_time desc, ch.user_id, ch.plays_before desc) as place
  from changes ch
  join analytics.users us on us.user_id = ch.user_id
  where cast(:direction as varchar) is null or ch.direction = cast(:direction as varchar)
)
select changed_at, user_id, first_name, last_name, direction, plays_before
from ranked
where place <= cast(:limit as integer)
order by place;
