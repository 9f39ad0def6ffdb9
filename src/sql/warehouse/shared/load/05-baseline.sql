-- What the new rows stand on.
-- -> load_id, data_version, event_id, reject_id (the highest so far), first_ts, last_ts (of the staged events)
select
  (select coalesce(max(load_id), 0) from ops.loads) as load_id,
  (select coalesce(max(data_version), 0) from ops.loads) as data_version,
  (select coalesce(max(event_id), 0) from staging.events) as event_id,
  (select coalesce(max(reject_id), 0) from ops.rejects) as reject_id,
  (select coalesce(min(ts), 0) from load_events) as first_ts,
  (select coalesce(max(ts), 0) from load_events) as last_ts
