-- After it, however it ended; not when somebody else has begun since.
-- :publisher -> nothing
update warehouse_state set publisher = null where publisher = :publisher::text
