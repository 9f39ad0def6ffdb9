-- Newest first; ids grow with time. A null filter takes all.
-- :status :type :created_after :created_before :before_id :limit -> jobs
select * from jobs
where (:status::text is null or status = :status::text)
  and (:type::text is null or type = :type::text)
  and (:created_after::timestamptz is null or created_at >= :created_after::timestamptz)
  and (:created_before::timestamptz is null or created_at < :created_before::timestamptz)
  and (:before_id::text is null or id < :before_id::text)
order by id desc
limit :limit::integer
