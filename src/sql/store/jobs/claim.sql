-- Takes the next job of the given types: one whose lease has run out, else the first in the queue whose lane is
-- free. Two workers that take the same lane at once: the second violates jobs_one_running_per_lane and tries again.
-- :worker :types (a JSON list) :lease_seconds -> the job, or nothing
with next as (
  select id
  from jobs as candidate
  where :types::jsonb ? type
    and (
      (status in ('running', 'cancelling') and lease_expires_at < now())
      or (
        status = 'queued'
        and run_after <= now()
        and not exists (
          select from jobs as busy
          where busy.lane = candidate.lane and busy.status in ('running', 'cancelling')
        )
      )
    )
  order by status = 'queued', priority desc, id
  limit 1
  for update skip locked
)
update jobs
set status = case when jobs.status = 'cancelling' then 'cancelling' else 'running' end,
  attempt = attempt + 1,
  worker = :worker::text,
  lease_expires_at = now() + :lease_seconds::integer * interval '1 second',
  started_at = coalesce(started_at, now()),
  progress = null,
  steps = '[]',
  updated_at = now()
from next
where jobs.id = next.id
returning jobs.*
