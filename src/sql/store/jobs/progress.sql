-- :id :attempt :progress :steps -> id, or nothing when the lease is lost
update jobs set progress = :progress::jsonb, steps = :steps::jsonb, updated_at = now()
where id = :id::text and attempt = :attempt::integer and lease_expires_at is not null
returning id
