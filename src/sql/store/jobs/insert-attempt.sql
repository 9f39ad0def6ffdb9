-- The time is the statement's own: the transaction may have begun before the lane's last job ended.
-- :job_id :attempt :worker -> nothing
insert into job_attempts (job_id, attempt, worker, started_at)
values (:job_id::text, :attempt::integer, :worker::text, clock_timestamp())
