-- :except (a JSON list of ids) -> due: when the next schedule is; null when there is none
select min(next_run_at) as due from schedules where not :except::jsonb ? id
