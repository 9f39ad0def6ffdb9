-- Gives a job back to the queue, to be claimed again after a while, if this attempt still holds it.
-- :id :attempt :delay_seconds :error -> the job, or nothing when the lease is lost
update jobs
set status = 'queued',
  run_after = now() + :delay_seconds::double precision * interval '1 second',
  error = :error::jsonb,
  worker = null,
  lease_expires_at = null,
  updated_at = now()
where id = :id::text and attempt = :attempt::integer and status = 'running'
returning *
