-- Functions that Redshift has and PostgreSQL has not, or has otherwise.

create or replace function pg_catalog.version() returns text language sql stable as $$
  select 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 '
    '(Red Hat 3.4.2-6.fc3), Redshift 1.0.137163'
$$;

create function pg_catalog.getdate() returns timestamp language sql stable as $$
  select statement_timestamp() at time zone 'UTC'
$$;
create function pg_catalog.sysdate() returns timestamp language sql stable as $$
  select transaction_timestamp() at time zone 'UTC'
$$;

create function pg_catalog.len(text) returns integer language sql immutable strict as 'select length($1)';
create function pg_catalog.charindex(text, text) returns integer language sql immutable strict as 'select strpos($2, $1)';
create function pg_catalog.nvl2(anyelement, anycompatible, anycompatible) returns anycompatible language sql immutable as
  'select case when $1 is not null then $2 else $3 end';
create function pg_catalog.sha2(text, integer) returns varchar language sql immutable strict as $$
  select encode(case $2 when 224 then sha224(convert_to($1, 'UTF8')) when 384 then sha384(convert_to($1, 'UTF8'))
    when 512 then sha512(convert_to($1, 'UTF8')) else sha256(convert_to($1, 'UTF8')) end, 'hex')::varchar
$$;

create function pg_catalog.strtol(digits text, base integer) returns bigint language plpgsql immutable strict as $$
declare
  result numeric := 0;
  digit integer;
begin
  for place in 1..length(digits) loop
    digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', lower(substring(digits from place for 1))) - 1;
    if digit < 0 or digit >= base then
      raise exception 'The input % is not valid to be converted to base %', digits, base using errcode = 'XX000';
    end if;
    result := result * base + digit;
  end loop;
  if result > 9223372036854775807 then
    raise exception 'The input % is not valid to be converted to base %', digits, base using errcode = 'XX000';
  end if;
  return result;
end $$;

create function pg_catalog.dateadd(part text, amount bigint, moment timestamp) returns timestamp
language sql immutable strict as $$
  select moment + amount * case part when 'quarter' then interval '3 months' when 'epoch' then interval '1 second'
    when 'dow' then interval '1 day' when 'doy' then interval '1 day' else ('1 ' || part)::interval end
$$;
create function pg_catalog.date_add(text, bigint, timestamp) returns timestamp language sql immutable strict as
  'select dateadd($1, $2, $3)';

-- The boundaries crossed, not the time passed.
create function pg_catalog.datediff(part text, earlier timestamp, later timestamp) returns bigint
language sql immutable strict as $$
  select case part
    when 'year' then extract(year from later) - extract(year from earlier)
    when 'quarter' then (extract(year from later) - extract(year from earlier)) * 4
      + extract(quarter from later) - extract(quarter from earlier)
    when 'month' then (extract(year from later) - extract(year from earlier)) * 12
      + extract(month from later) - extract(month from earlier)
    when 'week' then (date_trunc('week', later)::date - date_trunc('week', earlier)::date) / 7
    when 'day' then later::date - earlier::date
    when 'hour' then extract(epoch from date_trunc('hour', later) - date_trunc('hour', earlier)) / 3600
    when 'minute' then extract(epoch from date_trunc('minute', later) - date_trunc('minute', earlier)) / 60
    when 'second' then extract(epoch from date_trunc('second', later) - date_trunc('second', earlier))
    when 'milliseconds' then extract(epoch from date_trunc('milliseconds', later) - date_trunc('milliseconds', earlier)) * 1000
    else extract(epoch from later - earlier) * 1000000 end::bigint
$$;
create function pg_catalog.date_diff(text, timestamp, timestamp) returns bigint language sql immutable strict as
  'select datediff($1, $2, $3)';
create function pg_catalog.date_part_year(date) returns integer language sql immutable strict as
  'select extract(year from $1)::integer';
create function pg_catalog.last_day(timestamp) returns date language sql immutable strict as
  $$ select (date_trunc('month', $1) + interval '1 month' - interval '1 day')::date $$;
create function pg_catalog.add_months(timestamp, bigint) returns timestamp language sql immutable strict as
  $$ select $1 + $2 * interval '1 month' $$;
create function pg_catalog.trunc(timestamp) returns date language sql immutable strict as 'select $1::date';

create function pg_catalog.pg_last_copy_count() returns bigint language sql stable as
  $$ select coalesce(nullif(current_setting('emulator.copy_count', true), ''), '0')::bigint $$;
create function pg_catalog.pg_last_copy_id() returns integer language sql stable as
  $$ select coalesce(nullif(current_setting('emulator.copy_id', true), ''), '-1')::integer $$;

-- What the emulator runs itself, as COPY, it must hear of: a notice that only it sees tells it.
update pg_proc set proname = 'emulator_cancel_backend' where proname = 'pg_cancel_backend';
create function pg_catalog.pg_cancel_backend(pid integer) returns integer language plpgsql as $$
begin
  perform pg_catalog.emulator_cancel_backend(pid);
  raise notice using message = pid::text, errcode = 'RSCAN';
  return 1;
end $$;

-- Before a statement that writes. Inside a transaction the snapshot is taken first and then the table's write lock
-- waited for: writers of one table go one after another, and who waits does not see what he waited for.
create function emulator.before_write(target text, is_bulk boolean, takes_lock boolean) returns void
language plpgsql security definer as $$
declare
  known regclass := to_regclass(target);
begin
  perform set_config('emulator.is_bulk', is_bulk::text, false);
  if takes_lock and exists (select from pg_class where oid = known and relkind = 'r') then
    execute format('lock table %s in share row exclusive mode', known);
  end if;
end $$;

-- Identities of rows that come from a query have gaps and no order, as slices draw them; COPY numbers its rows itself.
-- A function for each table, because one for all would have to find the column by its name in every row.
create function emulator.spread_identity(target regclass, name text, seed bigint, step bigint) returns void
language plpgsql as $$
begin
  execute format($function$
    create function emulator.spread_%1$s() returns trigger language plpgsql as $body$
    declare
      place bigint := (new.%2$I - %3$s) / %4$s;
    begin
      if new.%2$I is distinct from pg_sequence_last_value(%5$L::regclass) then
        return new;
      end if;
      if current_setting('emulator.is_bulk', true) = 'true' then
        place := place / 8 * 16 + 8 + (place %% 8) * 5 %% 8;
      else
        place := place / 8 * 16 + place %% 8;
      end if;
      new.%2$I := %3$s + %4$s * place;
      return new;
    end $body$ $function$,
    target::oid, name, seed, step, pg_get_serial_sequence(target::text, name));
  execute format(
    'create trigger spread_identity before insert on %1$s for each row
     when (coalesce(current_setting(''emulator.is_numbered'', true), '''') <> ''true'')
     execute function emulator.spread_%2$s()', target, target::oid);
end $$;

-- The next value of an identity's sequence, or the one it goes on with.
create function emulator.move_identity(sequence regclass, value bigint) returns bigint
language plpgsql security definer as $$
begin
  if value is null then
    return nextval(sequence);
  end if;
  return setval(sequence, value);
end $$;

-- SUM and AVG of whole numbers are BIGINT.
update pg_proc set proname = 'postgres_' || proname
where proname in ('sum', 'avg') and proargtypes in ('20'::oidvector, '21'::oidvector, '23'::oidvector);
create aggregate pg_catalog.sum(bigint) (sfunc = int8pl, stype = bigint);
create aggregate pg_catalog.sum(integer) (sfunc = int4_sum, stype = bigint);
create aggregate pg_catalog.sum(smallint) (sfunc = int2_sum, stype = bigint);
create function emulator.add_to_average(state bigint[], value bigint) returns bigint[] language sql immutable strict as
  'select array[state[1] + 1, state[2] + value]';
create function emulator.average(state bigint[]) returns bigint language sql immutable as
  'select case when state[1] > 0 then state[2] / state[1] end';
create aggregate pg_catalog.avg(bigint) (
  sfunc = emulator.add_to_average, stype = bigint[], finalfunc = emulator.average, initcond = '{0,0}');
create aggregate pg_catalog.avg(integer) (
  sfunc = int4_avg_accum, stype = bigint[], finalfunc = emulator.average, initcond = '{0,0}');
create aggregate pg_catalog.avg(smallint) (
  sfunc = int2_avg_accum, stype = bigint[], finalfunc = emulator.average, initcond = '{0,0}');
