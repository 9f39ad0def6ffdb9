-- The first rejects with the names of their objects.
-- :'limit' (Redshift binds no LIMIT) -> url, line_number, code, message
select objects.url, rejects.line_number, rejects.code, rejects.message
from load_rejects as rejects
inner join load_objects as objects on objects.object_no = rejects.object_no
order by rejects.object_no, coalesce(rejects.line_number, 0), rejects.code
limit :'limit'
