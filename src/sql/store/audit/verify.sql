-- Computes the chain anew.
-- nothing -> events, first_broken (the least id whose hash, number or predecessor is not right), head_id, is_whole (it ends where it should)
with linked as (
  select *, lag(hash, 1, '') over (order by id) as before, lag(id, 1, 0::bigint) over (order by id) as id_before
  from audit_events
), checked as (
  select id, id = id_before + 1 and hash = audit_hash(
    before, id, at, key_id, key_name, action, path, status, outcome, code, address, request_id, job_id
  ) as is_right
  from linked
)
select
  (select count(*) from checked) as events,
  (select min(id) from checked where not is_right) as first_broken,
  (select id from audit_head) as head_id,
  coalesce((
    select head.id = last.id and head.hash = last.hash
    from audit_head as head, (select id, hash from audit_events order by id desc limit 1) as last
  ), (select id = 0 from audit_head)) as is_whole
