-- :id :attempt :progress :steps -> id, or nothing when the lease is lost
update jobs set progress = :progress::jsonb, steps = :steps::jsonb, updated_at = now()
where id = :id::text and attempt = :attempt::integer and status in ('running', 'cancelling')
returning id
