-- COPY does not tell which record came from which object, so their numbers are unknown.
create temp table load_objects as
select object_no, kind, url, etag, bytes, cast(null as bigint) as records_read
from load_new_objects
