/*
title: User agents
question: With which browsers and platforms do people listen?
description: >-
  Browser and platform are read from the user agent; what names none of those that are known is other, and a
  missing one is unknown. Equal plays are ordered by browser, then by platform.
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
  browser: { type: string, example: Firefox }
  platform: { type: string, example: Windows }
  plays: { type: integer, unit: plays, example: 250 }
  users: { type: integer, unit: users, example: 9 }
  sessions: { type: integer, unit: sessions, example: 31 }
  plays_per_session: { type: number, unit: plays per session, example: 8.1 }
  paid_share: { type: number, unit: of 1, description: 'Share of the plays by users who paid.', example: 0.75 }
chart: { type: bars, x: [browser, platform], y: [plays] }
*/
-- The order of the tests matters: Chrome calls itself Safari too, Edge and Opera call themselves Chrome, and an iPhone says that it
-- is like Mac OS X.
with sessions as (
  select sp.user_agent, sp.user_id, sp.session_id, count(sp.songplay_id) as plays,
    sum(case when sp.level = 'paid' then 1 else 0 end) as paid_plays
  from analytics.songplays sp
  where (cast(:from as date) is null or sp.start_time >= cast(:from as date))
    and (cast(:to as date) is null or sp.start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or sp.level = cast(:level as varchar))
    and (cast(:location as varchar) is null or sp.location = cast(:location as varchar))
  group by sp.user_agent, sp.user_id, sp.session_id
),
agents as (
  select sp.user_id, sp.session_id, sp.plays, sp.paid_plays,
    case
      when sp.user_agent is null then 'unknown'
      when sp.user_agent like '%Firefox/%' or sp.user_agent like '%FxiOS/%' then 'Firefox'
      when sp.user_agent like '%Edge/%' or sp.user_agent like '%Edg/%' then 'Edge'
      when sp.user_agent like '%OPR/%' or sp.user_agent like '%Opera%' then 'Opera'
      when sp.user_agent like '%Chrome/%' or sp.user_agent like '%CriOS/%' then 'Chrome'
      when sp.user_agent like '%MSIE %' or sp.user_agent like '%Trident/%' then 'Internet Explorer'
      when sp.user_agent like '%Safari/%' or sp.user_agent like '%AppleWebKit/%' then 'Safari'
      else 'other'
    end as browser,
    case
      when sp.user_agent is null then 'unknown'
      when sp.user_agent like '%iPhone%' or sp.user_agent like '%iPod%' then 'iPhone'
      when sp.user_agent like '%iPad%' then 'iPad'
      when sp.user_agent like '%Android%' then 'Android'
      when sp.user_agent like '%Windows%' then 'Windows'
      when sp.user_agent like '%Macintosh%' then 'Mac'
      when sp.user_agent like '%Linux%' or sp.user_agent like '%X11%' then 'Linux'
      else 'other'
    end as platform
  from sessions sp
),
counted as (
  select browser, platform, cast(sum(plays) as bigint) as plays, count(distinct user_id) as users,
    count(distinct cast(user_id as varchar) || '-' || cast(session_id as varchar)) as sessions,
    cast(sum(paid_plays) as bigint) as paid_plays
  from agents
  group by browser, platform
)
select browser, platform, plays, users, sessions,
  cast(plays as double precision) / nullif(sessions, 0) as plays_per_session,
  cast(paid_plays as double precision) / plays as paid_share
from counted
order by plays desc, browser, platform;
