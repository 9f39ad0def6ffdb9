-- The jobs of a lane that are not finished, oldest first.
-- :lane -> jobs
select * from jobs where lane = :lane::text and finished_at is null order by id
