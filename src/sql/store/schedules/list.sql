-- Newest first; ids grow with time.
-- :before_id :limit -> schedules
select * from schedules
where (:before_id::text is null or id < :before_id::text)
order by id desc
limit :limit::integer
