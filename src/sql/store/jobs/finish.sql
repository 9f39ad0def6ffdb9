-- Ends a job, if this attempt still holds it.
-- :id :attempt :status :progress :steps :result :error -> the job, or nothing when the lease is lost
update jobs
set status = :status::text,
  progress = :progress::jsonb,
  steps = :steps::jsonb,
  result = :result::jsonb,
  error = :error::jsonb,
  lease_expires_at = null,
  finished_at = now(),
  updated_at = now()
where id = :id::text and attempt = :attempt::integer and status in ('running', 'cancelling')
returning *
