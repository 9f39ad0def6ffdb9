/*
title: Retention
question: How many of those who began to listen in a week come back in the weeks after?
description: >-
  Users are grouped by the week of their first play, which begins on Monday. Week 0 is that week. A week in
  which nobody of a group listened has no row.
parameters:
  from:
    type: date
    description: Only groups whose week begins on this day, UTC, or later.
    example: '2018-11-01'
  to:
    type: date
    description: Only groups whose week begins on this day, UTC, or earlier.
    example: '2018-11-30'
  weeks:
    type: integer
    default: 12
    minimum: 0
    maximum: 520
    description: Weeks after the first that are shown.
columns:
  cohort_week: { type: date, description: 'Monday of the week of the first play.', example: '2018-10-29' }
  week: { type: integer, description: 'Weeks since then.', example: 1 }
  users: { type: integer, unit: users, description: 'Users of the group.', example: 40 }
  active_users: { type: integer, unit: users, description: 'Users of the group who listened in that week.', example: 22 }
  share: { type: number, unit: of 1, description: 'active_users divided by users.', example: 0.55 }
chart: { type: line, x: [week], y: [share], series: cohort_week }
*/
with weeks as (
  select distinct user_id, cast(date_trunc('week', start_time) as date) as week from analytics.songplays
),
cohorts as (
  select user_id, min(week) as cohort_week from weeks group by user_id
),
sizes as (
  select cohort_week, count(user_id) as users from cohorts group by cohort_week
),
active as (
  select co.cohort_week, cast((we.week - co.cohort_week) / 7 as integer) as week, count(we.user_id) as active_users
  from cohorts co
  join weeks we on we.user_id = co.user_id
  group by co.cohort_week, we.week
)
select ac.cohort_week, ac.week, si.users, ac.active_users, cast(ac.active_users as double precision) / si.users as share
from active ac
join sizes si on si.cohort_week = ac.cohort_week
where ac.week <= cast(:weeks as integer)
  and (cast(:from as date) is null or ac.cohort_week >= cast(:from as date))
  and (cast(:to as date) is null or ac.cohort_week <= cast(:to as date))
order by ac.cohort_week, ac.week;
