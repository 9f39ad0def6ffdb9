-- -> load_id, data_version (the highest so far)
select coalesce(max(load_id), 0) as load_id, coalesce(max(data_version), 0) as data_version from ops.loads
