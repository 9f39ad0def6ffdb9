-- Under the lock: rejects that another replay has taken in since they were chosen.
-- -> moved
select count(*) as moved
from load_replayed as chosen
left join ops.rejects as rejects on rejects.reject_id = chosen.reject_id
where rejects.reject_id is null or rejects.replayed_by is not null
