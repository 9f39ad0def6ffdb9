-- Attempts whose worker never came back.
-- :job_id :attempt -> the attempts closed
update job_attempts set finished_at = now(), outcome = 'lost'
where job_id = :job_id::text and attempt < :attempt::integer and finished_at is null
returning attempt, worker
