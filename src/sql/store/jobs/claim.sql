-- Takes the next job of the given types: one whose lease has run out and that this worker does not itself still run,
-- else the first of those that wait and whose lane is free. Two workers that take the same lane at once: the second
-- violates jobs_one_lease_per_lane and tries again. The attempt and its events are written with it, unless the job
-- took its workers down as often as it may be tried: the caller then gives it up.
-- A job that is to end (`cancelling`, or its time is over) is taken too, to find out what became of it.
-- One worker claims at a time: a second one would find the first jobs locked but not yet running, and take those behind
-- them, out of order. It is told that it is not its turn, and waits outside: within this statement nobody waits for a
-- process that may be paused.
-- :worker :types and :running (JSON lists) :lease_seconds -> my_turn, and the job if there is one
with turn as materialized (
  select pg_try_advisory_xact_lock(hashtext('sparkify-warehouse.claims')) as my_turn
),
expired as (
  select id
  from jobs
  where (select my_turn from turn)
    and lease_expires_at < now()
    and :types::jsonb ? type
    and not :running::jsonb ? id
  order by lease_expires_at
  limit 1
  for update skip locked
),
waiting as (
  select id
  from jobs as candidate
  where (select my_turn from turn)
    and finished_at is null
    and lease_expires_at is null
    and :types::jsonb ? type
    and run_after <= now()
    -- One that was not started in time is no worker's to take.
    and (attempt > 0 or deadline is null or deadline > now())
    and not exists (select from expired)
    and not exists (
      select from jobs as busy where busy.lane = candidate.lane and busy.lease_expires_at is not null
    )
  order by status, priority desc, id
  limit 1
  for update skip locked
),
next as (
  select id, 1 as lost from expired
  union all
  select id, 0 from waiting
),
claimed as (
  update jobs
  set status = case
      when jobs.status = 'cancelling' or (jobs.attempt > 0 and jobs.deadline <= now()) then 'cancelling'
      else 'running'
    end,
    attempt = jobs.attempt + 1,
    failures = jobs.failures + next.lost,
    worker = :worker::text,
    lease_expires_at = now() + :lease_seconds::double precision * interval '1 second',
    deadline = case
      when jobs.attempt = 0 then now() + jobs.timeout_seconds * interval '1 second'
      else jobs.deadline
    end,
    started_at = coalesce(jobs.started_at, now()),
    progress = null,
    steps = '[]',
    updated_at = now()
  from next
  where jobs.id = next.id
  returning jobs.*
),
opened as (
  -- The time is the statement's own: the transaction may have begun before the lane's last job ended.
  insert into job_attempts (job_id, attempt, worker, started_at)
  select id, attempt, worker, clock_timestamp()
  from claimed
  where status = 'cancelling' or failures < max_attempts
  returning job_id, attempt, worker
),
lost as (
  update job_attempts
  set finished_at = now(), outcome = 'lost'
  from claimed
  where job_attempts.job_id = claimed.id
    and job_attempts.attempt < claimed.attempt
    and job_attempts.finished_at is null
  returning job_attempts.job_id, job_attempts.attempt, job_attempts.worker, claimed.attempt as by_attempt
),
told as (
  insert into job_events (job_id, attempt, type, message, data)
  select job_id, attempt, type, message, jsonb_build_object('worker', :worker::text)
  from (
    select job_id, by_attempt as attempt, 'lost' as type,
      'Attempt ' || attempt || ' was lost: ' || worker || ' stopped without a word' as message, 1 as place
    from lost
    union all
    select job_id, attempt, 'started', 'Attempt ' || attempt || ' of the job started on ' || worker, 2
    from opened
  ) as story
  order by place, attempt
)
select turn.my_turn, claimed.* from turn left join claimed on true
