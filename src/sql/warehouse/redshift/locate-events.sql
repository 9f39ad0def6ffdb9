-- What identifies staged rows in their objects.
-- :first_row :last_row -> row_no, sessionid, iteminsession, ts, userid
select row_no, sessionid, iteminsession, ts, userid
from load_events
where row_no between cast(:first_row as bigint) and cast(:last_row as bigint)
