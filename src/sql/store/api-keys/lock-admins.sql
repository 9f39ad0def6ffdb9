-- The admin keys that are valid; nobody else revokes or replaces one until the transaction ends.
-- nothing -> ids
select id from api_keys
where scope = 'admin' and revoked_at is null and (expires_at is null or expires_at > now())
order by id
for update
