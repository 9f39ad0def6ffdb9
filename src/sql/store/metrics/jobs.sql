-- nothing -> type, status, jobs
select type, status, count(*) as jobs from jobs group by type, status order by type, status
