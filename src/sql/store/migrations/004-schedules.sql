-- Schedules: jobs that start by the clock.

create table schedules (
  id text primary key,
  name text not null unique,
  cron text not null,
  time_zone text not null,
  -- What it starts: the body of a request that starts a job.
  job jsonb not null,
  overlap text not null check (overlap in ('skip', 'queue', 'cancel')),
  catch_up_seconds integer not null check (catch_up_seconds > 0),
  jitter_seconds integer not null check (jitter_seconds >= 0),
  paused_at timestamptz,
  -- The next time that the cron expression names, and the same with its jitter; null while paused.
  next_tick_at timestamptz,
  next_run_at timestamptz,
  last_tick_at timestamptz,
  last_outcome text check (last_outcome in ('started', 'skipped', 'missed')),
  last_job_id text,
  created_by text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((next_tick_at is null) = (next_run_at is null)),
  check (paused_at is null or next_tick_at is null)
);
create index schedules_due on schedules (next_run_at) where next_run_at is not null;

-- A tick starts one job, whatever its schedulers believe.
create unique index jobs_one_per_tick on jobs ((trigger ->> 'schedule_id'), (trigger ->> 'tick'))
  where trigger ->> 'tick' is not null;
create index jobs_active_of_schedule on jobs ((trigger ->> 'schedule_id'))
  where finished_at is null and trigger ->> 'schedule_id' is not null;
