-- Whoever asks for conflicts waits here for whoever asked before, until that one's job is in the table.
-- :type -> nothing
select pg_advisory_xact_lock(hashtext('sparkify-warehouse.jobs'), hashtext(:type::text))
