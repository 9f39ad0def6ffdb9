-- Gives the text of `source` its types and says what is wrong where that fails. Lengths are in bytes, as Redshift
-- counts them; NUL characters cannot be stored there.
insert into load_events_raw
select
  object_no,
  line_number,
  artist,
  auth,
  firstname,
  gender,
  text_to_bigint(iteminsession),
  lastname,
  text_to_double(length),
  level,
  nullif(location, ''),
  method,
  page,
  text_to_double(registration),
  text_to_bigint(sessionid),
  song,
  text_to_bigint(status),
  text_to_bigint(ts),
  useragent,
  text_to_bigint(userid),
  case
    when nullif(ts, '') is null then 'missing_value:ts'
    when nullif(sessionid, '') is null then 'missing_value:sessionId'
    when nullif(iteminsession, '') is null then 'missing_value:itemInSession'
    when nullif(page, '') is null then 'missing_value:page'
    when is_no_bigint(ts) then 'invalid_type:ts'
    when is_no_bigint(sessionid) then 'invalid_type:sessionId'
    when is_no_bigint(iteminsession) then 'invalid_type:itemInSession'
    when is_no_bigint(status) then 'invalid_type:status'
    when is_no_bigint(userid) then 'invalid_type:userId'
    when is_no_double(length) then 'invalid_type:length'
    when is_no_double(registration) then 'invalid_type:registration'
    -- 1970 to 9999: what a timestamp of milliseconds can mean.
    when text_to_bigint(ts) not between 0 and 253402300799999 then 'out_of_range:ts'
    when text_to_bigint(userid) < 0 then 'out_of_range:userId'
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
from source
