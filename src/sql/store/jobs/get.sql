-- :id -> the job, or nothing
select * from jobs where id = :id::text
