-- Deletes the longest finished jobs of one state, with their attempts, events, keys and deliveries. One that is still to be
-- told of stays, and one that another replica is deleting is left to it.
-- :status :days :limit -> the ids
delete from jobs
where id in (
  select id
  from jobs as old
  where status = :status::text
    and finished_at < now() - :days::integer * interval '1 day'
    and not exists (
      select from webhook_deliveries as delivery where delivery.job_id = old.id and delivery.status = 'pending'
    )
  order by finished_at
  limit :limit::integer
  for update skip locked
)
returning id
