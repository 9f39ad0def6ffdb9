-- nothing -> outcome, attempts
select outcome, count(*) as attempts from job_attempts where outcome is not null group by outcome order by outcome
