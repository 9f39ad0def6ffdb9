-- How transactions of a database see each other: Snapshot Isolation or Serializable.
-- :database -> isolation_level
select trim(isolation_level) as isolation_level
from stv_db_isolation_level
where trim(db_name) = cast(:database as varchar(128))
