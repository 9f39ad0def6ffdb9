-- How evenly the rows of our tables are spread; empty tables are not listed.
-- -> schema_name, table_name, skew_rows
select "schema" as schema_name, "table" as table_name, skew_rows
from svv_table_info
where "schema" in ('staging', 'analytics', 'ops') and skew_rows is not null
