-- Only the attempt that holds the lease can renew it.
-- :id :attempt :lease_seconds -> status, or nothing when the lease is lost
update jobs set lease_expires_at = now() + :lease_seconds::integer * interval '1 second'
where id = :id::text and attempt = :attempt::integer and status in ('running', 'cancelling')
returning status
