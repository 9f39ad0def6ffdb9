-- :job_id -> every attempt at a job, first to last
select attempt, worker, started_at, finished_at, outcome, error from job_attempts
where job_id = :job_id::text order by attempt
