-- What Redshift tells about tables and loads. Rows of loads are written apart from the loading transaction, so that
-- they stay when it is rolled back.

create table emulator.loads (
  user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, status text,
  table_name text, table_id integer, start_time timestamp, end_time timestamp, data_source text, loaded_rows bigint,
  loaded_bytes bigint, source_file_count integer, source_file_bytes bigint, error_count bigint
);
create table emulator.load_files (
  query_id bigint, file_name text, bytes_scanned integer, lines_scanned integer, file_etag text, start_time timestamp,
  end_time timestamp
);
create table emulator.load_errors (
  query_id bigint, file_name text, line_number bigint, column_name text, column_type text, column_length text,
  position integer, raw_line text, raw_field_value text, error_code integer, error_message text
);

-- Everybody sees his own rows, superusers see all.
create function emulator.may_see(owner integer) returns boolean language sql stable as $$
  select owner = usesysid or usesuper from pg_user where usename = session_user
$$;

create view pg_catalog.sys_load_history as
select user_id, query_id, transaction_id, session_id, database_name, status, table_name, start_time, end_time,
  (extract(epoch from end_time - start_time) * 1000000)::bigint as duration, data_source, 'json'::text as file_format,
  loaded_rows, loaded_bytes, source_file_count, source_file_bytes, source_file_count as file_count_scanned,
  source_file_bytes as file_bytes_scanned, error_count, 0::bigint as copy_job_id
from emulator.loads where emulator.may_see(user_id);

create view pg_catalog.sys_load_detail as
select loads.user_id, query_id::integer as query_id, file_name::char(256) as file_name, bytes_scanned, lines_scanned,
  files.end_time as record_time, 1 as splits_scanned, files.start_time, files.end_time,
  file_etag::char(256) as file_etag, files.start_time as file_last_modified
from emulator.load_files as files join emulator.loads as loads using (query_id)
where emulator.may_see(loads.user_id);

create view pg_catalog.sys_load_error_detail as
select user_id, query_id, transaction_id, session_id, database_name::char(64) as database_name, table_id, start_time,
  file_name::char(256) as file_name, line_number, column_name::char(127) as column_name,
  column_type::char(10) as column_type, column_length::char(10) as column_length, position, error_code,
  error_message::char(512) as error_message
from emulator.load_errors join emulator.loads using (query_id) where emulator.may_see(user_id);

create view pg_catalog.stl_load_errors as
select user_id as userid, 0 as slice, table_id as tbl, start_time as starttime, session_id as session,
  query_id::integer as query, file_name::char(256) as filename, line_number, column_name::char(127) as colname,
  column_type::char(10) as type, column_length::char(10) as col_length, position, raw_line::char(1024) as raw_line,
  raw_field_value::char(1024) as raw_field_value, error_code as err_code, error_message::char(100) as err_reason,
  0 as is_partial, 0::bigint as start_offset, 0::bigint as copy_job_id
from emulator.load_errors join emulator.loads using (query_id) where emulator.may_see(user_id);

create view pg_catalog.stl_load_commits as
select loads.user_id as userid, query_id::integer as query, 0 as slice, ''::char(256) as name,
  file_name::char(256) as filename, 0 as byte_offset, lines_scanned, 0 as errors, files.end_time as curtime, 1 as status,
  'JSON'::char(16) as file_format, 0 as is_partial, 0::bigint as start_offset, 0::bigint as copy_job_id
from emulator.load_files as files join emulator.loads as loads using (query_id)
where emulator.may_see(loads.user_id);

create view pg_catalog.stv_db_isolation_level as
select datname::char(128) as db_name,
  (case when coalesce(current_setting('emulator.isolation', true), '') = 'serializable'
    then 'Serializable' else 'Snapshot Isolation' end)::char(20) as isolation_level
from pg_database where datname = current_database();

create view emulator.user_tables as
select c.oid, n.nspname, c.relname, c.relpersistence, c.relnamespace,
  coalesce(obj_description(c.oid, 'pg_class')::jsonb, '{}') as attributes
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'emulator')
  and n.nspname not like 'pg\_t%';

-- A table that somebody holds exclusively is not waited for.
create function emulator.row_count(relation oid) returns bigint language plpgsql stable security definer as $$
declare
  counted bigint;
begin
  if exists (select from pg_locks where pg_locks.relation = row_count.relation and mode = 'AccessExclusiveLock'
      and granted and pid <> pg_backend_pid()) then
    select greatest(reltuples, 0)::bigint into counted from pg_class where oid = row_count.relation;
  else
    execute format('select count(*) from %s', row_count.relation::regclass) into counted;
  end if;
  return counted;
end $$;

-- Eight slices. A slice without rows makes the ratio 100.
create function emulator.skew(relation oid, attributes jsonb) returns numeric language plpgsql stable security definer as $$
declare
  ratio numeric;
begin
  if attributes ->> 'diststyle' = 'EVEN' then
    return 1;
  elsif attributes ->> 'diststyle' <> 'KEY' then
    return null;
  end if;
  execute format(
    'select case when min(rows) = 0 then 100 else max(rows)::numeric / min(rows) end from (
      select slice, count(t) as rows from generate_series(0, 7) as slice left join %s as t
        on abs(hashtext(coalesce(t.%I::text, ''''))::bigint %% 8) = slice group by slice
    ) as slices', relation::regclass, attributes ->> 'distkey') into ratio;
  return ratio;
end $$;

create view pg_catalog.svv_table_info as
select current_database()::text as database, nspname::text as schema, oid as table_id, relname::text as "table",
  (case when attributes -> 'encodings' is null then 'N' else 'Y, AUTO(ENCODE)' end)::text as encoded,
  (case attributes ->> 'diststyle' when 'KEY' then 'KEY(' || (attributes ->> 'distkey') || ')' when 'EVEN' then 'EVEN'
    when 'ALL' then 'ALL' else 'AUTO(ALL)' end)::text as diststyle,
  coalesce(attributes -> 'sortkey' ->> 0, 'AUTO(SORTKEY)')::text as sortkey1,
  (select max(atttypmod - 4) from pg_attribute where attrelid = oid and atttypid = 'varchar'::regtype)::integer as max_varchar,
  coalesce(attributes -> 'encodings' ->> (attributes -> 'sortkey' ->> 0), '')::char(32) as sortkey1_enc,
  coalesce(jsonb_array_length(attributes -> 'sortkey'), 0)::integer as sortkey_num,
  greatest(pg_relation_size(oid) / 1048576, 1)::bigint as size, 0::numeric(10, 4) as pct_used, 0::bigint as empty,
  0::numeric(5, 2) as unsorted, 0::numeric(5, 2) as stats_off, rows::numeric(38, 0) as tbl_rows,
  null::numeric(19, 2) as skew_sortkey1, emulator.skew(oid, attributes)::numeric(19, 2) as skew_rows,
  rows::numeric(38, 0) as estimated_visible_rows, null::text as risk_event,
  0::numeric(12, 2) as vacuum_sort_benefit, null::timestamp as create_time
from (select *, emulator.row_count(oid) as rows from emulator.user_tables) as counted
where rows > 0;
revoke all on pg_catalog.svv_table_info from public;

create view pg_catalog.svv_tables as
select table_catalog::text, table_schema::text, table_name::text, table_type::text, ''::text as remarks
from information_schema.tables where table_schema <> 'emulator';

create view pg_catalog.svv_columns as
select table_catalog::text, table_schema::text, table_name::text, column_name::text, ordinal_position::integer,
  column_default::text, is_nullable::text, data_type::text, character_maximum_length::integer,
  numeric_precision::integer, numeric_precision_radix::integer, numeric_scale::integer, datetime_precision::integer,
  interval_type::text, interval_precision::text, character_set_catalog::text, character_set_schema::text,
  character_set_name::text, collation_catalog::text, collation_schema::text, collation_name::text, domain_name::text,
  ''::text as remarks
from information_schema.columns where table_schema <> 'emulator';

-- Only schemas of the search path are in it.
create view pg_catalog.pg_table_def as
select t.nspname as schemaname, t.relname as tablename, a.attname as "column",
  format_type(a.atttypid, a.atttypmod)::text as type,
  coalesce(t.attributes -> 'encodings' ->> a.attname, 'none')::char(32) as encoding,
  coalesce(t.attributes ->> 'distkey' = a.attname, false) as distkey,
  coalesce((select ordinality from jsonb_array_elements_text(t.attributes -> 'sortkey') with ordinality
    where value = a.attname), 0)::integer as sortkey,
  a.attnotnull as "notnull"
from emulator.user_tables as t join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
where t.nspname = any (current_schemas(false))
order by t.nspname, t.relname, a.attnum;

grant usage, create on schema emulator to public;
grant select on all tables in schema emulator to public;
grant select on pg_catalog.sys_load_history, pg_catalog.sys_load_detail, pg_catalog.sys_load_error_detail,
  pg_catalog.stl_load_errors, pg_catalog.stl_load_commits, pg_catalog.stv_db_isolation_level, pg_catalog.svv_tables,
  pg_catalog.svv_columns, pg_catalog.pg_table_def to public;
