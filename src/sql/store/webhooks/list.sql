-- The deliveries of a job, oldest first.
-- :job_id -> deliveries
select * from webhook_deliveries where job_id = :job_id::text order by created_at, id
