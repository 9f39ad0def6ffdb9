-- What was not rejected again is in the tables now.
-- :load_id -> nothing
update ops.rejects set replayed_by = cast(:load_id as bigint)
where reject_id in (
  select chosen.reject_id
  from load_replayed as chosen
  left join load_rejects as again on again.kind = chosen.kind and again.line_number = chosen.line_number
  where again.kind is null
)
