-- A full load begins with this, inside its transaction; TRUNCATE would commit.
delete from analytics.users
