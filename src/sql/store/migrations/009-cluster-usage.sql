-- How long the cluster has run and what that has cost, and when it was used last.

create table cluster_usage (
  identifier text primary key,
  -- It was first seen then.
  since timestamptz not null,
  seen_at timestamptz not null,
  -- At the last look.
  is_running boolean not null,
  running_seconds double precision not null default 0,
  -- Null while it ran at a price that nobody knows.
  cost double precision default 0,
  -- A query or a job used it last.
  used_at timestamptz not null,
  -- The end of the last job, by the store's clock, that was counted as use.
  job_ended_at timestamptz,
  -- Hours before the end of its life that somebody was warned of.
  warned_hours integer
);
