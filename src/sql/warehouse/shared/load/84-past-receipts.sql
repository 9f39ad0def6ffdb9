-- The latest loads that loaded something from objects.
-- :'limit' (Redshift binds no LIMIT) -> receipt
select receipt from ops.loads
where mode in ('incremental', 'full') and events_loaded + songs_loaded > 0
order by load_id desc
limit :'limit'
