-- The key goes on being valid for the overlap, at most until it would have expired anyway.
-- :id :replaced_by :overlap_seconds -> nothing
update api_keys set
  replaced_by = :replaced_by::text,
  expires_at = least(expires_at, now() + :overlap_seconds::integer * interval '1 second')
where id = :id::text
