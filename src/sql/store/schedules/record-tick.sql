-- :id :tick :outcome :job_id :next_tick_at :next_run_at -> nothing
update schedules
set last_tick_at = :tick::timestamptz,
  last_outcome = :outcome::text,
  last_job_id = coalesce(:job_id::text, last_job_id),
  next_tick_at = :next_tick_at::timestamptz,
  next_run_at = :next_run_at::timestamptz
where id = :id::text
