-- :id -> id, or nothing
delete from schedules where id = :id::text returning id
