-- Appends to a job's story; a worker that lost its lease cannot.
-- :job_id :attempt :type :message :data -> id, or nothing when the attempt is not the job's own
insert into job_events (job_id, attempt, type, message, data)
select id, attempt, :type::text, :message::text, :data::jsonb
from jobs
where id = :job_id::text and attempt = :attempt::integer
returning id
