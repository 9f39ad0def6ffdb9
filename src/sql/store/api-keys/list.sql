-- Newest first.
-- :before_id :limit -> keys, without their hashes
select id, name, prefix, scope, created_by, created_at, expires_at, revoked_at, replaced_by
from api_keys
where :before_id::text is null or (created_at, id) < (select created_at, id from api_keys where id = :before_id::text)
order by created_at desc, id desc
limit :limit::integer
