-- The unfinished jobs that a schedule has started, oldest first.
-- :schedule_id -> id
select id from jobs
where trigger ->> 'schedule_id' = :schedule_id::text and finished_at is null
order by id
