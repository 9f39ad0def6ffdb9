-- Sends a delivery that is over once more, as a new one to the same URL.
-- :id :job_id :new_id -> the new delivery, or nothing
with added as (
  insert into webhook_deliveries (id, job_id, url)
  select :new_id::text, job_id, url from webhook_deliveries
  where id = :id::text and job_id = :job_id::text and status <> 'pending'
  returning *
)
select added.*, pg_notify('webhooks', json_build_object('id', added.job_id)::text) as told from added
