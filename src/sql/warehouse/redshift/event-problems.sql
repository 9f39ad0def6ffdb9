-- What COPY accepts and the contract does not: empty texts where a value must be, times and users out of range.
-- :'limit' -> row_no, code, column_name, problems (how many there are in all)
select row_no, code, column_name, count(*) over () as problems
from (
  select
    row_no,
    case when octet_length(page) = 0 then 'missing_value' else 'out_of_range' end as code,
    case
      when octet_length(page) = 0 then 'page'
      when ts < 0 or ts > 253402300799999 then 'ts'
      else 'userId'
    end as column_name
  from load_events
  where octet_length(page) = 0 or ts < 0 or ts > 253402300799999 or userid < 0
) as found
order by row_no
limit :'limit'
