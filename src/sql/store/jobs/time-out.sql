-- Its time is over: the attempt that holds it must end.
-- :id :attempt :error -> id, or nothing when the lease is lost or the job is to end already
with changed as (
  update jobs
  set status = 'cancelling', error = :error::jsonb, updated_at = now()
  where id = :id::text and attempt = :attempt::integer and status = 'running'
  returning id, attempt
),
told as (
  insert into job_events (job_id, attempt, type, message, data)
  select id, attempt, 'timed_out', :error::jsonb ->> 'detail', jsonb_build_object('code', :error::jsonb ->> 'code')
  from changed
)
select id from changed
