-- What identifies staged rows in their objects.
-- :'rows' (a list of row numbers) -> row_no, sessionid, iteminsession, ts, userid
select row_no, sessionid, iteminsession, ts, userid
from load_events
where row_no in :'rows'
