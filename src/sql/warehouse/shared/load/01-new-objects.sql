-- The listed objects that the ledger does not know with this etag; all of them for a full load.
-- :is_full -> nothing
create temp table load_new_objects as
select listing.object_no
from load_listing as listing
left join ops.loaded_objects as known on known.url = listing.url and known.etag = listing.etag
where known.url is null or cast(:is_full as boolean)
