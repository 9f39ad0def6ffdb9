/*
title: Lapsing users
question: Who listens less than before, or has stopped?
description: >-
  Compares the plays of each user in the last days of the period with what is usual for that user: all plays
  before those days, as a mean over the days since the first one, or over as many days where those are
  fewer. A user with at most the given share of that is lapsing. Whoever lost most plays comes first; equal
  ones are ordered by user_id. Users who began in the last days are left out.
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
    description: Length of the last days that are compared.
  share:
    type: number
    default: 0.5
    minimum: 0
    maximum: 1
    description: Share of the usual plays up to which a user is lapsing; 0 shows those alone who stopped.
  level:
    type: string
    enum: [free, paid]
    description: Only users of this level, as of their last play.
    example: paid
  limit:
    type: integer
    default: 50
    minimum: 1
    maximum: 1000
    description: Rows to answer at most.
columns:
  user_id: { type: integer, example: 39 }
  first_name: { type: string, example: Walter }
  last_name: { type: string, example: Frye }
  level: { type: string, description: 'Level at the last play of all.', example: free }
  status: { type: string, description: 'less or stopped.', example: less }
  last_play: { type: timestamp, description: 'Last play up to the end of the period, UTC.', example: '2018-11-20T17:05:00.796Z' }
  plays: { type: integer, unit: plays, description: 'Plays in the last days.', example: 2 }
  usual_plays: { type: number, unit: plays, description: 'Mean plays in as many days before.', example: 9.5 }
chart: { type: bars, x: [first_name, last_name, user_id], y: [plays, usual_plays] }
*/
with last as (
  select coalesce(cast(:to as date), cast(max(start_time) as date)) as day from analytics.songplays
),
counted as (
  select sp.user_id, max(sp.start_time) as last_play,
    cast(sum(case when sp.start_time >= last.day + 1 - cast(:days as integer) then 1 else 0 end) as bigint) as plays,
    cast(sum(case when sp.start_time < last.day + 1 - cast(:days as integer) then 1 else 0 end) as bigint) as past_plays,
    last.day + 1 - cast(:days as integer) - cast(min(sp.start_time) as date) as past_days
  from analytics.songplays sp
  cross join last
  where sp.start_time < last.day + 1
  group by sp.user_id, last.day
),
compared as (
  select user_id, last_play, plays,
    cast(past_plays as double precision) * cast(:days as integer)
      / greatest(past_days, cast(:days as integer)) as usual_plays
  from counted
  where past_days > 0
),
ranked as (
  select us.user_id, us.first_name, us.last_name, us.level, co.last_play, co.plays, co.usual_plays,
    case when co.plays = 0 then 'stopped' else 'less' end as status,
    row_number() over (order by co.usual_plays - co.plays desc, us.user_id) as place
  from compared co
  join analytics.users us on us.user_id = co.user_id
  where co.plays <= co.usual_plays * cast(:share as double precision)
    and (cast(:level as varchar) is null or us.level = cast(:level as varchar))
)
select user_id, first_name, last_name, level, status, last_play, plays, usual_plays
from ranked
where place <= cast(:limit as integer)
order by place;
