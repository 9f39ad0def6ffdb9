-- Before a commit in the warehouse: from now on readers ask the warehouse itself.
-- :publisher -> nothing
update warehouse_state set generation = generation + 1, publisher = :publisher::text
