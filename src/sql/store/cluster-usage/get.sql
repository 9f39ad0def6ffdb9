-- :identifier -> the usage
select * from cluster_usage where identifier = :identifier::text
