-- :actor :key -> request_hash, job_id, or nothing
select request_hash, job_id from idempotency_keys where actor = :actor::text and key = :key::text
