-- :id :name :cron :time_zone :job :overlap :catch_up_seconds :jitter_seconds :next_tick_at :next_run_at
-- -> the schedule, or nothing when it is gone
update schedules
set name = :name::text,
  cron = :cron::text,
  time_zone = :time_zone::text,
  job = :job::jsonb,
  overlap = :overlap::text,
  catch_up_seconds = :catch_up_seconds::integer,
  jitter_seconds = :jitter_seconds::integer,
  next_tick_at = case when paused_at is null then :next_tick_at::timestamptz end,
  next_run_at = case when paused_at is null then :next_run_at::timestamptz end,
  updated_at = now()
where id = :id::text
returning *
