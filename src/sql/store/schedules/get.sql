-- :id -> the schedule, or nothing
select * from schedules where id = :id::text
