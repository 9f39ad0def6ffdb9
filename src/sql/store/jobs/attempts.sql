-- Oldest first.
-- :job_id :after_attempt :limit -> attempts
select job_id, attempt, worker, outcome, error, started_at, finished_at from job_attempts
where job_id = :job_id::text and (:after_attempt::bigint is null or attempt > :after_attempt::bigint)
order by attempt
limit :limit::integer
