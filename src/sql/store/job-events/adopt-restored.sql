-- Events that were restored from another server carry its transaction numbers, which mean nothing here and would
-- hold up the feed. A visible row of our own is always below the bound.
-- -> nothing
update job_events set xid = '1' where xid >= pg_snapshot_xmax(pg_current_snapshot())
