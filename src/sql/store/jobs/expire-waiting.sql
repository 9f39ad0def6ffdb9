-- Jobs that wait longer than they may. One that was never started fails here; of another, a worker first finds out
-- what its attempts have published.
-- :types (a JSON list) :error -> id
with late as (
  select id
  from jobs
  where finished_at is null
    and lease_expires_at is null
    and deadline <= now()
    and status = 'queued'
    and :types::jsonb ? type
  order by deadline
  limit 100
  for update skip locked
),
changed as (
  update jobs
  set status = case when attempt = 0 then 'failed' else 'cancelling' end,
    finished_at = case when attempt = 0 then now() end,
    run_after = least(run_after, now()),
    error = case when attempt = 0 then :error::jsonb else error end,
    updated_at = now()
  from late
  where jobs.id = late.id
  returning jobs.id, jobs.attempt, jobs.status
),
told as (
  insert into job_events (job_id, attempt, type, message, data)
  select id, attempt, case status when 'failed' then 'failed' else 'timed_out' end, :error::jsonb ->> 'detail',
    jsonb_build_object('code', :error::jsonb ->> 'code')
  from changed
)
select id from changed
