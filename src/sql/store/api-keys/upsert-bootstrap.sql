-- The key of the configuration: always valid, always the one configured now.
-- :id :key_hash -> nothing
insert into api_keys (id, name, key_hash, scope) values (:id::text, 'bootstrap admin key', :key_hash::text, 'admin')
on conflict (id) do update set key_hash = excluded.key_hash, revoked_at = null
