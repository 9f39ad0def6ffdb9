-- :id :name :key_hash :prefix :scope :expires_at :created_by -> the key, without its hash
insert into api_keys (id, name, key_hash, prefix, scope, expires_at, created_by)
values (
  :id::text, :name::text, :key_hash::text, :prefix::text, :scope::text, :expires_at::timestamptz, :created_by::text
)
returning id, name, prefix, scope, created_by, created_at, expires_at, revoked_at, replaced_by
