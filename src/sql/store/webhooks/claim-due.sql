-- Takes the delivery that is due first: nobody else sends it within :busy_seconds.
-- :busy_seconds -> the delivery, or nothing
update webhook_deliveries
set attempts = attempts + 1, next_attempt_at = now() + :busy_seconds::integer * interval '1 second'
where id = (
  select id from webhook_deliveries
  where status = 'pending' and next_attempt_at <= now()
  order by next_attempt_at, id
  limit 1
  for update skip locked
)
returning *
