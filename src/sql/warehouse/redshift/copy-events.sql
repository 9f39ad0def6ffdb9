-- :'from' :'role' :'region' :'json' :'max_errors' -> nothing; `copy_options` is completed by the caller
copy load_events (
  artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration,
  sessionid, song, status, ts, useragent, userid
)
from :'from'
iam_role :'role'
region :'region'
json :'json'
maxerror :'max_errors'
compupdate off
statupdate off
