-- Ends a job with its attempt and tells so, if this attempt still holds it.
-- :id :attempt :status :outcome :progress :steps :result :error :message :data -> id, or nothing when the lease is lost
with ended as (
  update jobs
  set status = :status::text,
    progress = :progress::jsonb,
    steps = :steps::jsonb,
    result = :result::jsonb,
    error = :error::jsonb,
    lease_expires_at = null,
    finished_at = now(),
    updated_at = now()
  where id = :id::text and attempt = :attempt::integer and lease_expires_at is not null
  returning id, attempt
),
closed as (
  update job_attempts
  set finished_at = now(), outcome = :outcome::text, error = :error::jsonb
  from ended
  where job_attempts.job_id = ended.id and job_attempts.attempt = ended.attempt and job_attempts.finished_at is null
),
told as (
  insert into job_events (job_id, attempt, type, message, data)
  select id, attempt, :status::text, :message::text, :data::jsonb from ended
)
select id from ended
