-- The best by hand: types are told, the order is nobody's, and the songs come in one file. Still no ledger, no rejects, no
-- duplicates, and a wrong value ends it.
-- :'events' (a glob) :'songs' (one file)
set preserve_insertion_order = false;
create sequence event_ids;
create table staging_events as
select nextval('event_ids') as event_id, * exclude (userId, location), nullif(location, '') as location,
  cast(nullif(userId, '') as bigint) as userid
from read_json(:'events', format = 'newline_delimited', columns = {
  artist: 'VARCHAR', auth: 'VARCHAR', firstName: 'VARCHAR', gender: 'VARCHAR', itemInSession: 'BIGINT', lastName: 'VARCHAR',
  length: 'DOUBLE', level: 'VARCHAR', location: 'VARCHAR', method: 'VARCHAR', page: 'VARCHAR', registration: 'DOUBLE',
  sessionId: 'BIGINT', song: 'VARCHAR', status: 'BIGINT', ts: 'BIGINT', userAgent: 'VARCHAR', userId: 'VARCHAR'
});
create table staging_songs as
select * exclude (artist_location), nullif(artist_location, '') as artist_location
from read_json(:'songs', format = 'newline_delimited', columns = {
  num_songs: 'BIGINT', artist_id: 'VARCHAR', artist_latitude: 'DOUBLE', artist_longitude: 'DOUBLE', artist_location: 'VARCHAR',
  artist_name: 'VARCHAR', song_id: 'VARCHAR', title: 'VARCHAR', duration: 'DOUBLE', year: 'BIGINT'
});
create view plays as select * from staging_events where page = 'NextSong' and userid is not null;
