-- What the COPY just before did.
-- -> query_id, rows_loaded
select pg_last_copy_id() as query_id, pg_last_copy_count() as rows_loaded
