-- :id :next_tick_at :next_run_at -> the schedule
update schedules
set paused_at = null, next_tick_at = :next_tick_at::timestamptz, next_run_at = :next_run_at::timestamptz,
  updated_at = now()
where id = :id::text
returning *
