-- :job_id :attempt :worker -> nothing
insert into job_attempts (job_id, attempt, worker) values (:job_id::text, :attempt::integer, :worker::text)
