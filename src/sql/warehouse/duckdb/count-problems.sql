-- -> problems: records whose values cannot be loaded
select
  (select count(*) from load_events_raw where problem is not null)
  + (select count(*) from load_songs_raw where problem is not null) as problems
