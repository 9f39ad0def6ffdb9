-- Gives a job back, to be claimed again after a while, if this attempt still holds it. One that is to end stays
-- `cancelling`: the next worker finds out what became of it.
-- :id :attempt :delay_seconds :outcome :failures :error :type :message -> id, or nothing when the lease is lost
with given as (
  update jobs
  set status = case when status = 'cancelling' then 'cancelling' else 'queued' end,
    run_after = now() + :delay_seconds::double precision * interval '1 second',
    failures = failures + :failures::integer,
    error = :error::jsonb,
    worker = null,
    lease_expires_at = null,
    updated_at = now()
  where id = :id::text and attempt = :attempt::integer and lease_expires_at is not null
  returning id, attempt
),
closed as (
  update job_attempts
  set finished_at = now(), outcome = :outcome::text, error = :error::jsonb
  from given
  where job_attempts.job_id = given.id and job_attempts.attempt = given.attempt and job_attempts.finished_at is null
),
told as (
  insert into job_events (job_id, attempt, type, message)
  select id, attempt, :type::text, :message::text from given
)
select id from given
