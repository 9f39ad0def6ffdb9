-- Counts the time since the last look, if the cluster ran then. Looks of several replicas add up to the same.
-- :identifier :now :is_running :per_hour (null: not known) :used_at (null: not by this replica) :lane -> the usage
with job as (
  select max(finished_at) as ended_at, coalesce(bool_or(status in ('running', 'cancelling')), false) as is_running
  from jobs
  where lane = :lane::text and type <> 'cluster.pause'
)
insert into cluster_usage as usage (identifier, since, seen_at, is_running, used_at, job_ended_at)
select :identifier::text, :now::timestamptz, :now::timestamptz, :is_running::boolean, :now::timestamptz, job.ended_at
from job
on conflict (identifier) do update set
  running_seconds = usage.running_seconds
    + case when usage.is_running then greatest(extract(epoch from excluded.seen_at - usage.seen_at), 0) else 0 end,
  cost = usage.cost
    + case when usage.is_running
        then greatest(extract(epoch from excluded.seen_at - usage.seen_at), 0) / 3600 * :per_hour::double precision
        else 0 end,
  seen_at = greatest(usage.seen_at, excluded.seen_at),
  is_running = excluded.is_running,
  used_at = case
    when (select is_running from job) or excluded.job_ended_at is distinct from usage.job_ended_at then excluded.used_at
    else greatest(usage.used_at, :used_at::timestamptz) end,
  job_ended_at = excluded.job_ended_at
returning *
