-- The feed over all jobs. An id is drawn before its transaction commits, so over several jobs a lower id may appear
-- after a higher one, and a reader that remembers an id would miss it. The feed is therefore ordered by transaction,
-- and read only up to the oldest one that is still open: nothing can appear behind a position that was read.
-- The new key serves in place of the old one: `id` alone is unique because it is an identity.
alter table job_events add column xid xid8 not null default pg_current_xact_id();
alter table job_events drop constraint job_events_pkey;
alter table job_events add primary key (xid, id);

-- Whoever follows a job is told of its events; status changes have a channel of their own, which wakes the workers.
create function notify_job_event() returns trigger language plpgsql as $$
begin
  perform pg_notify('job_events', json_build_object('id', new.job_id)::text);
  return null;
end
$$;
create trigger job_events_inserted after insert on job_events for each row execute function notify_job_event();
