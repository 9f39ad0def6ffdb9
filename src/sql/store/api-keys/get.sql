-- :id -> the key, without its hash, or nothing
select id, name, prefix, scope, created_by, created_at, expires_at, revoked_at, replaced_by
from api_keys
where id = :id::text
