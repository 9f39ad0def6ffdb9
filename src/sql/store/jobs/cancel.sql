-- A job that was never started ends here. Any other is `cancelling` until its attempt, or the next worker, has
-- confirmed that nothing of it goes on.
-- :id :message -> the job, or nothing when it has ended or is to end already
with changed as (
  update jobs
  set status = case when attempt = 0 then 'cancelled' else 'cancelling' end,
    finished_at = case when attempt = 0 then now() end,
    run_after = least(run_after, now()),
    cancel_requested_at = now(),
    updated_at = now()
  where id = :id::text and status in ('queued', 'running')
  returning *
),
told as (
  insert into job_events (job_id, attempt, type, message)
  select id, attempt, status, :message::text from changed
)
select * from changed
