-- :id :name :key_hash :scope :expires_at -> the key, without its hash
insert into api_keys (id, name, key_hash, scope, expires_at)
values (:id::text, :name::text, :key_hash::text, :scope::text, :expires_at::timestamptz)
returning id, name, scope, created_at, expires_at, revoked_at
