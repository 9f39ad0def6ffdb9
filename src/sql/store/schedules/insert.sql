-- :id :name :cron :time_zone :job :overlap :catch_up_seconds :jitter_seconds :next_tick_at :next_run_at :created_by
-- -> the schedule, or nothing when the name is taken
insert into schedules (
  id, name, cron, time_zone, job, overlap, catch_up_seconds, jitter_seconds, next_tick_at, next_run_at, created_by
)
values (
  :id::text, :name::text, :cron::text, :time_zone::text, :job::jsonb, :overlap::text, :catch_up_seconds::integer,
  :jitter_seconds::integer, :next_tick_at::timestamptz, :next_run_at::timestamptz, :created_by::text
)
on conflict (name) do nothing
returning *
