-- Waits for a concurrent request with the same key to commit or roll back.
-- :actor :key :request_hash :job_id -> job_id, or nothing when the key is taken
insert into idempotency_keys (actor, key, request_hash, job_id)
values (:actor::text, :key::text, :request_hash::text, :job_id::text)
on conflict (actor, key) do nothing
returning job_id
