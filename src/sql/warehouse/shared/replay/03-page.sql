-- Some of the records, in the order of their lines.
-- :kind :first :last -> line_number, raw_text
select chosen.line_number, rejects.raw_text
from load_replayed as chosen
inner join ops.rejects as rejects on rejects.reject_id = chosen.reject_id
where chosen.kind = :kind and chosen.line_number between cast(:first as bigint) and cast(:last as bigint)
order by chosen.line_number
