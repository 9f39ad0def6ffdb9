-- The cluster is gone.
-- :identifier
delete from cluster_usage where identifier = :identifier::text
