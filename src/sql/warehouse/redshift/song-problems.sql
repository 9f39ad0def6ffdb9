-- What COPY accepts and the contract does not: empty keys.
-- :'limit' -> row_no, code, column_name, problems (how many there are in all)
select row_no, 'missing_value' as code, column_name, count(*) over () as problems
from (
  select row_no, case when octet_length(song_id) = 0 then 'song_id' else 'artist_id' end as column_name
  from load_songs
  where octet_length(song_id) = 0 or octet_length(artist_id) = 0
) as found
order by row_no
limit :'limit'
