-- Run when this process has just become the store's only user: whoever held a lease is gone.
-- -> the jobs that can be claimed now
update jobs set lease_expires_at = now() - interval '1 second'
where lease_expires_at is not null
returning id
