-- Adds a job to the queue, with the first line of its story.
-- :id :type :lane :priority :params :max_attempts :run_after :queue_timeout_seconds :timeout_seconds :step_timeouts
-- :created_by :trigger :retry_of :callback_url :message -> the job
with added as (
  insert into jobs (
    id, type, lane, priority, params, max_attempts, run_after, queue_timeout_seconds, timeout_seconds, step_timeouts,
    deadline, created_by, trigger, retry_of, callback_url
  )
  values (
    :id::text, :type::text, :lane::text, :priority::smallint, :params::jsonb, :max_attempts::integer,
    coalesce(:run_after::timestamptz, now()), :queue_timeout_seconds::integer, :timeout_seconds::integer,
    :step_timeouts::jsonb,
    greatest(:run_after::timestamptz, now()) + :queue_timeout_seconds::integer * interval '1 second',
    :created_by::text, :trigger::jsonb, :retry_of::text, :callback_url::text
  )
  returning *
),
told as (
  insert into job_events (job_id, attempt, type, message)
  select id, 0, 'queued', :message::text from added
)
select * from added
