-- Where the feed stands.
-- :xid -> head: events from there on may still be joined by others; has_more: there are such events already;
-- is_known: the position's transaction is one of this database
select pg_snapshot_xmin(pg_current_snapshot())::text as head,
  exists(select from job_events where xid >= pg_snapshot_xmin(pg_current_snapshot())) as has_more,
  :xid::text::xid8 <= pg_snapshot_xmax(pg_current_snapshot()) as is_known
