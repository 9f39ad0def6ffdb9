/*
title: Engagement
question: How does engagement change over time?
description: >-
  One row for each day, week or month in which anybody listened, in order. Stickiness is the mean number of
  users on the days of the period on which anybody listened, divided by the users of the whole period; for
  days it is 1.
parameters:
  period:
    type: string
    default: day
    enum: [day, week, month]
    description: What one row stands for. Weeks begin on Monday.
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
  period_start: { type: date, description: 'First day of the period, UTC.', example: '2018-11-01' }
  active_users: { type: integer, unit: users, example: 31 }
  sessions: { type: integer, unit: sessions, example: 40 }
  plays: { type: integer, unit: plays, example: 250 }
  seconds: { type: number, unit: seconds, description: 'Time listened.', example: 61250.5 }
  stickiness: { type: number, unit: of 1, example: 0.25 }
chart: { type: line, x: [period_start], y: [active_users, sessions] }
*/
with plays as (
  select sp.songplay_id, sp.user_id, sp.session_id, sp.duration, cast(sp.start_time as date) as day,
    case cast(:period as varchar)
      when 'month' then cast(date_trunc('month', sp.start_time) as date)
      when 'week' then cast(date_trunc('week', sp.start_time) as date)
      else cast(sp.start_time as date)
    end as period_start
  from analytics.songplays sp
  where (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
),
-- Sessions are few, plays many: everything below counts the former.
sittings as (
  select period_start, day, user_id, session_id, count(songplay_id) as plays,
    sum(cast(duration as decimal(18, 5))) as seconds
  from plays
  group by period_start, day, user_id, session_id
),
daily as (
  select period_start, day, count(distinct user_id) as users
  from sittings
  group by period_start, day
),
usual as (
  select period_start, cast(sum(users) as double precision) / count(day) as users
  from daily
  group by period_start
),
sessions as (
  select period_start, user_id, session_id, sum(plays) as plays, sum(seconds) as seconds
  from sittings
  group by period_start, user_id, session_id
),
periods as (
  select period_start, count(distinct user_id) as active_users, count(session_id) as sessions,
    cast(sum(plays) as bigint) as plays, cast(coalesce(sum(seconds), 0) as double precision) as seconds
  from sessions
  group by period_start
)
select periods.period_start, periods.active_users, periods.sessions, periods.plays, periods.seconds,
  usual.users / periods.active_users as stickiness
from periods
join usual on usual.period_start = periods.period_start
order by periods.period_start;
