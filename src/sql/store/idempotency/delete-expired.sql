-- :max_age_hours -> nothing
delete from idempotency_keys where created_at < now() - :max_age_hours::integer * interval '1 hour'
