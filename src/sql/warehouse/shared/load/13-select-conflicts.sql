-- :'limit' (Redshift binds no LIMIT) -> row_no, conflicts (how many there are in all)
select row_no, count(*) over () as conflicts
from load_event_verdicts
where is_duplicate = 0
order by row_no
limit :'limit'
