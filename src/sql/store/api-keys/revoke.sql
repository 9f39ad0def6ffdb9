-- A key that is revoked already keeps its time.
-- :id -> the key, without its hash
update api_keys set revoked_at = coalesce(revoked_at, now())
where id = :id::text
returning id, name, prefix, scope, created_by, created_at, expires_at, revoked_at, replaced_by
