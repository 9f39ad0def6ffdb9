-- Keeps schedulers away until the transaction ends.
-- :id -> the schedule, or nothing
select * from schedules where id = :id::text for update
