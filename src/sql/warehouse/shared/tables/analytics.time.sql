/*
description: One row for each moment at which a play started, to the millisecond. Weekday 0 is Sunday, week is ISO.
key: [start_time]
distribution: { style: even }
sort_key: [start_time]
*/
create table if not exists analytics.time (
  start_time timestamp not null,
  hour integer not null,
  day integer not null,
  week integer not null,
  month integer not null,
  year integer not null,
  weekday integer not null
)
