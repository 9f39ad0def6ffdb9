-- The oldest unfinished job that does the same. One that is being cancelled is none.
-- :type :params -> the job, or nothing
select * from jobs
where finished_at is null and type = :type::text and params = :params::jsonb and status <> 'cancelling'
order by id
limit 1
