-- Newest first.
-- :before_id :key_id :outcome :job_id :request_id :after :before :limit -> events
select id, at, key_id, key_name, action, path, status, outcome, code, address, request_id, job_id, hash
from audit_events
where (:before_id::bigint is null or id < :before_id::bigint)
  and (:key_id::text is null or key_id = :key_id::text)
  and (:outcome::text is null or outcome = :outcome::text)
  and (:job_id::text is null or job_id = :job_id::text)
  and (:request_id::text is null or request_id = :request_id::text)
  and (:after::timestamptz is null or at >= :after::timestamptz)
  and (:before::timestamptz is null or at < :before::timestamptz)
order by id desc
limit :limit::integer
