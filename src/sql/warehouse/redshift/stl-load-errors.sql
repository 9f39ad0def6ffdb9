-- The records that a COPY skipped, where the newer view may not be read.
-- :query_id -> url, line_number, column_name, error_code, message
select
  trim(filename) as url, line_number, trim(colname) as column_name, err_code as error_code, trim(err_reason) as message
from stl_load_errors
where query = cast(:query_id as bigint)
order by filename, line_number
