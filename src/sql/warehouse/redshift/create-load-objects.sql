-- COPY does not tell which record came from which object, so their numbers are unknown.
create temp table load_objects as
select listing.object_no, listing.kind, listing.url, listing.etag, listing.bytes, cast(null as bigint) as records_read
from load_listing as listing
inner join load_new_objects as new_ones on new_ones.object_no = listing.object_no
