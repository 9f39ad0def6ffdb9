-- :name -> id, or nothing
select id from schedules where name = :name::text
