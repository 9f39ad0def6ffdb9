-- The events of all jobs after a position, in the order of the feed, as far as no open transaction can add to them.
-- :after_xid :after_id :limit -> events
select xid::text as xid, id, job_id, attempt, type, message, data, created_at from job_events
where (xid, id) > (:after_xid::text::xid8, :after_id::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
order by xid, id
limit :limit::integer
