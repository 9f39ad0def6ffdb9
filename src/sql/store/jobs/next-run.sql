-- -> due_in_seconds until the next queued job or the next lease runs out; null when there is none
select extract(epoch from min(due) - now())::double precision as due_in_seconds
from (
  select min(run_after) as due from jobs where status = 'queued'
  union all
  select min(lease_expires_at) from jobs where status in ('running', 'cancelling')
) as times
