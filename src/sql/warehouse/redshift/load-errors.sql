-- The records that a COPY skipped.
-- :query_id -> url, line_number, column_name, error_code, message
select
  trim(file_name) as url, line_number, trim(column_name) as column_name, error_code, trim(error_message) as message
from sys_load_error_detail
where query_id = cast(:query_id as bigint)
order by file_name, line_number
