-- :before -> nothing
delete from ops.rejects where rejected_at < cast(:before as timestamp)
