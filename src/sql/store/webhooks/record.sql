-- Records what came of an attempt, unless another sender has taken the delivery over.
-- :id :attempt :status :retry_seconds (null when it is over) :entry (a JSON object) -> the delivery, or nothing
update webhook_deliveries
set status = :status::text,
  next_attempt_at = now() + :retry_seconds::integer * interval '1 second',
  log = log || jsonb_build_array(:entry::jsonb),
  finished_at = case when :status::text = 'pending' then null else now() end
where id = :id::text and attempts = :attempt::integer and status = 'pending'
returning *
