-- In the order of kind and name. A cursor is the number of objects before.
-- :load_id :'offset' :'limit' (Redshift binds no LIMIT) -> objects
select kind, url, etag, bytes, records_read, records_loaded, records_duplicates, records_rejected
from ops.loaded_objects
where load_id = cast(:load_id as bigint)
order by kind, url
limit :'limit' offset :'offset'
