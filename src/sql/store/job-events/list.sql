-- Oldest first.
-- :job_id :after_id :limit -> events
select id, job_id, attempt, type, message, data, created_at from job_events
where job_id = :job_id::text and (:after_id::bigint is null or id > :after_id::bigint)
order by id
limit :limit::integer
