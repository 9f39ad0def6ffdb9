create temp table load_listing (object_no integer, kind varchar, url varchar, etag varchar, bytes bigint)
