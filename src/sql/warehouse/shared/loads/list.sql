-- Newest first.
-- :before_id :'limit' (Redshift binds no LIMIT) -> loads
select * from ops.loads
where cast(:before_id as bigint) is null or load_id < cast(:before_id as bigint)
order by load_id desc
limit :'limit'
