-- :load_id -> the load, or nothing
select * from ops.loads where load_id = cast(:load_id as bigint)
