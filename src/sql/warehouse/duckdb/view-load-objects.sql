-- The objects of this load. A view: a million addresses are in memory once.
create temp view load_objects as
select listing.object_no, listing.kind, listing.url, listing.etag, listing.bytes, records.records_read
from load_listing as listing
inner join load_object_records as records on records.object_no = listing.object_no
