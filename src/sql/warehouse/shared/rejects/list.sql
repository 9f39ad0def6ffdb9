-- Oldest first. A null filter takes all.
-- :load_id :job_id :kind :code :is_replayed :after_id :'limit' (Redshift binds no LIMIT) -> rejects
select * from ops.rejects
where (cast(:load_id as bigint) is null or load_id = cast(:load_id as bigint))
  and (cast(:job_id as varchar(64)) is null or job_id = cast(:job_id as varchar(64)))
  and (cast(:kind as varchar(16)) is null or kind = cast(:kind as varchar(16)))
  and (cast(:code as varchar(64)) is null or code = cast(:code as varchar(64)))
  and (
    cast(:is_replayed as boolean) is null or (replayed_by is not null) = cast(:is_replayed as boolean)
  )
  and (cast(:after_id as bigint) is null or reject_id > cast(:after_id as bigint))
order by reject_id
limit :'limit'
