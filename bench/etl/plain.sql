-- What a script does that knows DuckDB: globs, and the star from what they give. No ledger, no rejects, no duplicates.
-- :'events' :'songs' (globs)
create table staging_events as
select row_number() over () as event_id, * exclude (userId), try_cast(nullif(userId, '') as bigint) as userid
from read_json(:'events', format = 'newline_delimited');
create table staging_songs as select * from read_json(:'songs');
create view plays as select * from staging_events where page = 'NextSong' and userid is not null;
