-- Attempts that count against max_attempts; one that was handed back at a shutdown does not.
-- :job_id -> failed
select count(*) as failed from job_attempts
where job_id = :job_id::text and outcome in ('failed', 'lost')
