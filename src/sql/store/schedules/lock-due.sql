-- The schedule that is due first, for this transaction alone: another replica takes the next one.
-- :now :except (a JSON list of ids) -> the schedule, or nothing
select * from schedules
where next_run_at <= :now::timestamptz and not :except::jsonb ? id
order by next_run_at, id
limit 1
for update skip locked
