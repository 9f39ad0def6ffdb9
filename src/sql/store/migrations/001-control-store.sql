-- The control store: API keys, jobs with their attempts and events, idempotency records.

create table api_keys (
  id text primary key,
  name text not null,
  -- SHA-256 of the key. Keys are random and long, so a fast hash gives nothing away.
  key_hash text not null unique,
  scope text not null check (scope in ('read', 'operate', 'admin')),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);

create table jobs (
  id text primary key,
  type text not null,
  -- Jobs of one lane run one at a time.
  lane text not null,
  status text not null default 'queued'
    check (status in ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')),
  priority smallint not null default 0,
  params jsonb not null default '{}',
  -- The fencing token: raised by every claim, and part of every write that a worker makes.
  attempt integer not null default 0,
  max_attempts integer not null check (max_attempts > 0),
  run_after timestamptz not null default now(),
  worker text,
  lease_expires_at timestamptz,
  progress jsonb,
  steps jsonb not null default '[]',
  result jsonb,
  error jsonb,
  created_by text not null,
  trigger jsonb not null,
  retry_of text references jobs (id) on delete set null,
  cancel_requested_at timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default now(),
  check ((status in ('running', 'cancelling')) = (lease_expires_at is not null)),
  check ((status in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null))
);

-- The lane's promise is kept here, whatever two workers do at the same moment.
create unique index jobs_one_running_per_lane on jobs (lane) where status in ('running', 'cancelling');
create index jobs_queue on jobs (priority desc, id) where status = 'queued';
create index jobs_by_status on jobs (status, id desc);
create index jobs_by_type on jobs (type, id desc);

create table job_attempts (
  job_id text not null references jobs (id) on delete cascade,
  attempt integer not null,
  worker text not null,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  outcome text check (outcome in ('succeeded', 'failed', 'cancelled', 'lost', 'handed_back')),
  error jsonb,
  primary key (job_id, attempt)
);

create table job_events (
  id bigint generated always as identity primary key,
  job_id text not null references jobs (id) on delete cascade,
  attempt integer not null,
  type text not null,
  message text not null,
  data jsonb,
  created_at timestamptz not null default now()
);
create index job_events_by_job on job_events (job_id, id);

create table idempotency_keys (
  actor text not null,
  key text not null,
  request_hash text not null,
  job_id text not null references jobs (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (actor, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
create index idempotency_keys_by_job on idempotency_keys (job_id);

-- Every change of a job's status is announced, so that no writer can forget to.
create function notify_job() returns trigger language plpgsql as $$
begin
  perform pg_notify('jobs', json_build_object('id', new.id, 'status', new.status)::text);
  return null;
end
$$;
create trigger jobs_inserted after insert on jobs for each row execute function notify_job();
create trigger jobs_changed after update of status on jobs for each row
  when (old.status is distinct from new.status) execute function notify_job();
