-- The files that a COPY read.
-- :query_id -> url
select distinct trim(filename) as url from stl_load_commits where query = cast(:query_id as bigint)
