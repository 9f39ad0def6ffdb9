-- -> due: when the next schedule is; null when there is none
select min(next_run_at) as due from schedules
