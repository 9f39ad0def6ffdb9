-- How long the job that waits longest could have been running, in seconds; 0 without one.
-- nothing -> seconds
select coalesce(extract(epoch from now() - min(run_after)), 0)::float8 as seconds
from jobs
where status = 'queued' and run_after <= now()
