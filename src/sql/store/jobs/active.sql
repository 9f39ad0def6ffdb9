-- The jobs of a lane that are not finished, oldest first.
-- :lane -> jobs
select * from jobs where lane = :lane::text and status in ('queued', 'running', 'cancelling') order by id
