-- API keys that callers manage, and the audit log.

-- What a key begins with, for people to tell keys apart; null for the configured one and for keys older than this.
alter table api_keys add column prefix text;
alter table api_keys add column created_by text;
-- The key that took this one's place.
alter table api_keys add column replaced_by text;

create table audit_events (
  id bigint primary key,
  at timestamptz not null,
  -- Null when nobody could be told by the request's key.
  key_id text,
  key_name text,
  action text not null,
  path text not null,
  status integer not null,
  outcome text not null check (outcome in ('done', 'failed', 'denied')),
  code text,
  address text not null,
  request_id text not null,
  job_id text,
  -- SHA-256 over the fields and the hash of the event before.
  hash text not null
);
create index audit_events_by_key on audit_events (key_id, id);

-- The end of the chain: who appends holds its row.
create table audit_head (
  singleton boolean primary key default true check (singleton),
  id bigint not null,
  hash text not null
);
insert into audit_head (id, hash) values (0, '');

create function audit_hash(
  before text, id bigint, at timestamptz, key_id text, key_name text, action text, path text, status integer,
  outcome text, code text, address text, request_id text, job_id text
) returns text language sql immutable as $$
  select encode(sha256(convert_to(jsonb_build_array(
    before, id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), key_id, key_name, action, path, status,
    outcome, code, address, request_id, job_id
  )::text, 'UTF8')), 'hex')
$$;

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only';
end
$$;
create trigger audit_events_are_appended before update or delete on audit_events
  for each row execute function refuse_audit_change();
create trigger audit_events_are_not_truncated before truncate on audit_events
  for each statement execute function refuse_audit_change();
