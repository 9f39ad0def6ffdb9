-- A row for the one replica that is to warn.
-- :identifier :hours -> identifier
update cluster_usage set warned_hours = :hours::integer
where identifier = :identifier::text and (warned_hours is null or warned_hours > :hours::integer)
returning identifier
