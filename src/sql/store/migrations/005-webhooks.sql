-- Webhooks: a job may name a URL that is told of its end.

alter table jobs add column callback_url text;

create table webhook_deliveries (
  id text primary key,
  job_id text not null references jobs (id) on delete cascade,
  url text not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  -- While it is pending: when it is sent again. A sender that is at it has moved this beyond the time it may take.
  next_attempt_at timestamptz default now(),
  -- What came of each attempt, oldest first.
  log jsonb not null default '[]',
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  check ((status = 'pending') = (next_attempt_at is not null))
);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where status = 'pending';
create index webhook_deliveries_of_job on webhook_deliveries (job_id, id);

-- However a job ends, its delivery is there in the same transaction.
create function queue_webhook() returns trigger language plpgsql as $$
begin
  insert into webhook_deliveries (id, job_id, url)
  values ('whd_' || replace(gen_random_uuid()::text, '-', ''), new.id, new.callback_url);
  perform pg_notify('webhooks', json_build_object('id', new.id)::text);
  return null;
end
$$;
create trigger jobs_webhook after update of finished_at on jobs for each row
  when (old.finished_at is null and new.finished_at is not null and new.callback_url is not null)
  execute function queue_webhook();
