-- The job's row is locked before the id is drawn (nextval runs above the lock), so events of one job commit in the
-- order of their ids: whoever follows a job resumes by id and misses nothing.
-- :job_id :attempt :type :message :data -> id, or nothing when the attempt is not the job's own
insert into job_events (job_id, attempt, type, message, data)
select id, attempt, :type::text, :message::text, :data::jsonb
from jobs
where id = :job_id::text and attempt = :attempt::integer
for no key update
returning id
