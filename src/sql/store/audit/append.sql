-- Appends to the chain. Who appends at the same time waits here, and goes on from the end that is there then.
-- :at :key_id :key_name :action :path :status :outcome :code :address :request_id :job_id -> nothing
with head as (
  select id + 1 as id, hash from audit_head for update
), added as (
  insert into audit_events
    (id, at, key_id, key_name, action, path, status, outcome, code, address, request_id, job_id, hash)
  select head.id, :at::timestamptz, :key_id::text, :key_name::text, :action::text, :path::text, :status::integer,
    :outcome::text, :code::text, :address::text, :request_id::text, :job_id::text,
    audit_hash(
      head.hash, head.id, :at::timestamptz, :key_id::text, :key_name::text, :action::text, :path::text, :status::integer,
      :outcome::text, :code::text, :address::text, :request_id::text, :job_id::text
    )
  from head
  returning id, hash
)
update audit_head set id = added.id, hash = added.hash from added
