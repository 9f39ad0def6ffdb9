-- Gives the text of `source` its types and says what is wrong where that fails. Lengths are in bytes, as Redshift
-- counts them; NUL characters cannot be stored there. Numbers are cast once, below: the engine would cast them again for
-- each WHEN that looks at them.
insert into load_events_raw
select
  object_no,
  line_number,
  artist,
  auth,
  firstname,
  gender,
  iteminsession_number,
  lastname,
  length_number,
  level,
  nullif(location, ''),
  method,
  page,
  registration_number,
  sessionid_number,
  song,
  status_number,
  ts_number,
  useragent,
  userid_number,
  case
    when nullif(ts, '') is null then 'missing_value:ts'
    when nullif(sessionid, '') is null then 'missing_value:sessionId'
    when nullif(iteminsession, '') is null then 'missing_value:itemInSession'
    when nullif(page, '') is null then 'missing_value:page'
    when is_no_bigint(ts, ts_number) then 'invalid_type:ts'
    when is_no_bigint(sessionid, sessionid_number) then 'invalid_type:sessionId'
    when is_no_bigint(iteminsession, iteminsession_number) then 'invalid_type:itemInSession'
    when is_no_bigint(status, status_number) then 'invalid_type:status'
    when is_no_bigint(userid, userid_number) then 'invalid_type:userId'
    when is_no_double(length, length_number) then 'invalid_type:length'
    when is_no_double(registration, registration_number) then 'invalid_type:registration'
    -- 1970 to 9999: what a timestamp of milliseconds can mean.
    when ts_number not between 0 and 253402300799999 then 'out_of_range:ts'
    when userid_number < 0 then 'out_of_range:userId'
    when strlen(artist) > 4096 then 'value_too_long:artist'
    when strlen(song) > 4096 then 'value_too_long:song'
    when strlen(location) > 4096 then 'value_too_long:location'
    when strlen(useragent) > 4096 then 'value_too_long:userAgent'
    when strlen(firstname) > 1024 then 'value_too_long:firstName'
    when strlen(lastname) > 1024 then 'value_too_long:lastName'
    when strlen(auth) > 256 then 'value_too_long:auth'
    when strlen(gender) > 256 then 'value_too_long:gender'
    when strlen(level) > 256 then 'value_too_long:level'
    when strlen(method) > 256 then 'value_too_long:method'
    when strlen(page) > 256 then 'value_too_long:page'
    when contains(
      concat(artist, auth, firstname, gender, lastname, level, location, method, page, song, useragent), chr(0)
    ) then 'invalid_character:'
  end
from (
  select
    *,
    text_to_bigint(iteminsession) as iteminsession_number,
    text_to_double(length) as length_number,
    text_to_double(registration) as registration_number,
    text_to_bigint(sessionid) as sessionid_number,
    text_to_bigint(status) as status_number,
    text_to_bigint(ts) as ts_number,
    text_to_bigint(userid) as userid_number
  from source
)
