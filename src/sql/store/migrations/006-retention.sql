-- Retention: finished jobs are deleted when they are old enough, by state.

create index jobs_finished on jobs (status, finished_at) where finished_at is not null;
-- Deleting a job looks for its retries.
create index jobs_retry_of on jobs (retry_of) where retry_of is not null;
