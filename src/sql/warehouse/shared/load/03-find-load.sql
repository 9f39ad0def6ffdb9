-- The load that this job has published already, if an earlier attempt got that far.
-- :job_id -> load_id
select load_id from ops.loads where job_id = :job_id
