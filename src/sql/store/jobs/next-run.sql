-- A job that waits for its lane is not counted: the end of the job before it is announced.
-- :types (a JSON list) -> due_in_seconds until the next job of these types can be claimed, or is late; null when
-- there is none
select extract(epoch from min(due) - now())::double precision as due_in_seconds
from (
  select run_after as due
  from jobs as candidate
  where :types::jsonb ? type
    and finished_at is null
    and lease_expires_at is null
    and (attempt > 0 or deadline is null or deadline > run_after)
    and not exists (
      select from jobs as busy where busy.lane = candidate.lane and busy.lease_expires_at is not null
    )
  union all
  select deadline
  from jobs
  where :types::jsonb ? type
    and status = 'queued'
    and finished_at is null
    and lease_expires_at is null
    and deadline is not null
  union all
  select lease_expires_at from jobs where :types::jsonb ? type and lease_expires_at is not null
) as times
