-- :key_hash -> the key, or nothing
select id, name, scope, expires_at, revoked_at from api_keys where key_hash = :key_hash::text
