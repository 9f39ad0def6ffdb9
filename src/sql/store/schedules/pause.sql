-- :id :now -> the schedule, or nothing when it is gone
update schedules
set paused_at = coalesce(paused_at, :now::timestamptz), next_tick_at = null, next_run_at = null, updated_at = now()
where id = :id::text
returning *
