-- -> table_name, row_count
select 'analytics.songplays' as table_name, count(*) as row_count from analytics.songplays
union all select 'analytics.users', count(*) from analytics.users
union all select 'analytics.songs', count(*) from analytics.songs
union all select 'analytics.artists', count(*) from analytics.artists
union all select 'analytics.time', count(*) from analytics.time
