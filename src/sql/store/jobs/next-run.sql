-- A queued job waits for its lane without being counted: the end of the job before it is announced.
-- :types (a JSON list) -> due_in_seconds until the next job of these types can be claimed; null when there is none
select extract(epoch from min(due) - now())::double precision as due_in_seconds
from (
  select run_after as due
  from jobs as candidate
  where :types::jsonb ? type
    and status = 'queued'
    and not exists (
      select from jobs as busy
      where busy.lane = candidate.lane and busy.status in ('running', 'cancelling')
    )
  union all
  select lease_expires_at from jobs where :types::jsonb ? type and status in ('running', 'cancelling')
) as times
