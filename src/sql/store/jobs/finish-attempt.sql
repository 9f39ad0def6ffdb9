-- :job_id :attempt :outcome :error -> nothing
update job_attempts set finished_at = now(), outcome = :outcome::text, error = :error::jsonb
where job_id = :job_id::text and attempt = :attempt::integer and finished_at is null
