-- Cancel, timeouts and retries: what they need of the job table.

alter table jobs
  add column queue_timeout_seconds integer check (queue_timeout_seconds > 0),
  add column timeout_seconds integer check (timeout_seconds > 0),
  -- Seconds by step name.
  add column step_timeouts jsonb not null default '{}',
  -- Until the first start: when it must have been started. From then on: when it must have ended.
  add column deadline timestamptz,
  -- Attempts that count against max_attempts: one that was handed back at a shutdown does not.
  add column failures integer not null default 0;

-- A job may wait, `cancelling`, for a worker who finds out what an attempt before it has published: then nobody
-- holds a lease on it.
alter table jobs drop constraint jobs_check;
alter table jobs add constraint jobs_lease_check check (
  case status
    when 'running' then lease_expires_at is not null
    when 'cancelling' then true
    else lease_expires_at is null
  end
);

-- The lane's promise is kept here, whatever two workers do at the same moment: one lease for each lane.
drop index jobs_one_running_per_lane;
create unique index jobs_one_lease_per_lane on jobs (lane) where lease_expires_at is not null;

-- What waits for a worker, in the order in which it is taken: 'cancelling' sorts before 'queued'.
drop index jobs_queue;
create index jobs_waiting on jobs (status, priority desc, id) where finished_at is null and lease_expires_at is null;
create index jobs_waiting_deadline on jobs (deadline)
  where finished_at is null and lease_expires_at is null and deadline is not null;
-- What a new job may be in conflict with.
create index jobs_unfinished on jobs (type, id) where finished_at is null;
