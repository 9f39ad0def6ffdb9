-- The events with a repeated identity and a fingerprint of their content. Events already loaded have row_no 0.
-- The fingerprint tells a null from an empty text and minds trailing blanks, which a comparison on Redshift does not.
-- :first_ts :last_ts -> nothing
create temp table load_event_suspects as
select
  row_no,
  object_no,
  sessionid,
  iteminsession,
  ts,
  coalesce(userid, -1) as userkey,
  md5(
    coalesce(artist, chr(1)) || chr(2) || coalesce(auth, chr(1)) || chr(2) || coalesce(firstname, chr(1)) || chr(2)
    || coalesce(gender, chr(1)) || chr(2) || coalesce(lastname, chr(1)) || chr(2)
    || coalesce(cast(length as varchar), chr(1)) || chr(2) || coalesce(level, chr(1)) || chr(2)
    || coalesce(location, chr(1)) || chr(2) || coalesce(method, chr(1)) || chr(2) || coalesce(page, chr(1)) || chr(2)
    || coalesce(cast(registration as varchar), chr(1)) || chr(2) || coalesce(song, chr(1)) || chr(2)
    || coalesce(cast(status as varchar), chr(1)) || chr(2) || coalesce(useragent, chr(1))
  ) as content
from (
  select
    staged.row_no, staged.object_no, staged.artist, staged.auth, staged.firstname, staged.gender,
    staged.iteminsession, staged.lastname, staged.length, staged.level, staged.location, staged.method, staged.page,
    staged.registration, staged.sessionid, staged.song, staged.status, staged.ts, staged.useragent, staged.userid
  from load_events as staged
  inner join load_event_repeats as repeats
    on repeats.sessionid = staged.sessionid and repeats.iteminsession = staged.iteminsession
    and repeats.ts = staged.ts and repeats.userkey = coalesce(staged.userid, -1)
  union all
  select
    0, 0, known.artist, known.auth, known.firstname, known.gender,
    known.iteminsession, known.lastname, known.length, known.level, known.location, known.method, known.page,
    known.registration, known.sessionid, known.song, known.status, known.ts, known.useragent, known.userid
  from staging.events as known
  inner join load_event_repeats as repeats
    on repeats.sessionid = known.sessionid and repeats.iteminsession = known.iteminsession
    and repeats.ts = known.ts and repeats.userkey = coalesce(known.userid, -1)
  where known.ts between cast(:first_ts as bigint) and cast(:last_ts as bigint)
) as suspects
