-- Texts are equal whatever blanks follow them, in comparisons, joins, GROUP BY, DISTINCT and ORDER BY, while LENGTH, LIKE
-- and MD5 mind them. PostgreSQL's CHAR compares so; its functions take the place of those of TEXT and VARCHAR.
update pg_operator set oprcode = case oprname
    when '=' then 'bpchareq' when '<>' then 'bpcharne' when '<' then 'bpcharlt'
    when '>' then 'bpchargt' when '<=' then 'bpcharle' else 'bpcharge' end::regproc
where oprleft = 'text'::regtype and oprright = 'text'::regtype and oprname in ('=', '<>', '<', '>', '<=', '>=');

update pg_amproc set amproc = case amproc
    when 'bttextcmp'::regproc then 'bpcharcmp' when 'bttextsortsupport'::regproc then 'bpchar_sortsupport'
    when 'hashtext'::regproc then 'hashbpchar' else 'hashbpcharextended' end::regproc
where amproclefttype = 'text'::regtype and amprocrighttype = 'text'::regtype
  and amproc in ('bttextcmp'::regproc, 'bttextsortsupport'::regproc, 'hashtext'::regproc, 'hashtextextended'::regproc);

-- The length of a VARCHAR is in bytes. An explicit cast cuts, an assignment refuses, and blanks at the end do not count.
create function emulator.fit_varchar(value varchar, typmod integer, is_explicit boolean) returns varchar
language plpgsql immutable strict parallel safe as $$
declare
  bytes integer := typmod - 4;
  characters integer;
begin
  if octet_length(value) <= bytes then
    return value;
  end if;
  if not is_explicit and octet_length(rtrim(value, ' ')) > bytes then
    raise exception 'value too long for type character varying(%)', bytes using errcode = '22001';
  end if;
  characters := least(length(value), bytes);
  while octet_length(left(value, characters)) > bytes loop
    characters := characters - 1;
  end loop;
  return left(value, characters);
end $$;

update pg_cast set castfunc = 'emulator.fit_varchar'::regproc
where castsource = 'varchar'::regtype and casttarget = 'varchar'::regtype;
