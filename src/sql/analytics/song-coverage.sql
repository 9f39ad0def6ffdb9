/*
title: Song coverage
question: How much of what is played is in the catalogue?
description: >-
  One row for each month in which anybody listened, in order. A play is matched when title and artist are
  those of a song of the catalogue.
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
  matched_plays: { type: integer, unit: plays, example: 333 }
  songs: { type: integer, unit: songs, description: 'Songs of the catalogue that were played.', example: 180 }
  share: { type: number, unit: of 1, description: 'matched_plays divided by plays.', example: 0.049 }
chart: { type: columns, x: [year, month], y: [plays, matched_plays] }
*/
with months as (
  select extract(year from start_time) as year, extract(month from start_time) as month, count(songplay_id) as plays,
    count(song_id) as matched_plays, count(distinct song_id) as songs
  from analytics.songplays
  where (cast(:from as date) is null or start_time >= cast(:from as date))
    and (cast(:to as date) is null or start_time < cast(:to as date) + 1)
    and (cast(:level as varchar) is null or level = cast(:level as varchar))
    and (cast(:location as varchar) is null or location = cast(:location as varchar))
  group by extract(year from start_time), extract(month from start_time)
)
select cast(year as integer) as year, cast(month as integer) as month, plays, matched_plays, songs,
  cast(matched_plays as double precision) / plays as share
from months
order by year, month;
