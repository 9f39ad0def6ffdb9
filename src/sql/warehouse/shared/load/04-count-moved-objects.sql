-- Under the lock: objects of this load that another load has published since they were listed.
-- :is_full -> moved
select count(*) as moved
from load_objects as staged
inner join ops.loaded_objects as known on known.url = staged.url and known.etag = staged.etag
where not cast(:is_full as boolean)
