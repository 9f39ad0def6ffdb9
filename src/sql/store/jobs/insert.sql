-- Adds a job to the queue.
-- :id :type :lane :params :max_attempts :created_by :trigger -> the job
insert into jobs (id, type, lane, params, max_attempts, created_by, trigger)
values (
  :id::text, :type::text, :lane::text, :params::jsonb, :max_attempts::integer, :created_by::text, :trigger::jsonb
)
returning *
