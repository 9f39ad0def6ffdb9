-- A key that was created, and is the configured one now, would otherwise be there twice.
-- :id :key_hash -> nothing
delete from api_keys where key_hash = :key_hash::text and id <> :id::text
