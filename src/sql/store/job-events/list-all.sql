-- The events of all jobs after a position, in the order of the feed, as far as no open transaction can add to them.
-- The order names the table's column: by its name alone it would be the text that is selected, in which 10 comes before 9.
-- :after_xid :after_id :limit -> events
select xid::text as xid, id, job_id, attempt, type, message, data, created_at from job_events
where (xid, id) > (:after_xid::text::xid8, :after_id::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
order by job_events.xid, job_events.id
limit :limit::integer
