-- The columns of every table of ours that exists, in order.
-- -> table_schema, table_name, column_name
select table_schema, table_name, column_name
from information_schema.columns
where table_schema in ('staging', 'analytics', 'ops')
order by table_schema, table_name, ordinal_position
