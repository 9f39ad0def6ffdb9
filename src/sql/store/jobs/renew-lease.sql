-- Only the attempt that holds the lease can renew it.
-- :id :attempt :lease_seconds -> status, or nothing when the lease is lost
update jobs set lease_expires_at = now() + :lease_seconds::double precision * interval '1 second'
where id = :id::text and attempt = :attempt::integer and lease_expires_at is not null
returning status
