-- The limit: the engine reads the events, gives them their types and stores them, and does nothing else.
-- :'events' (a glob)
set preserve_insertion_order = false;
create table staging_events as
select * from read_json(:'events', format = 'newline_delimited', columns = {
  artist: 'VARCHAR', auth: 'VARCHAR', firstName: 'VARCHAR', gender: 'VARCHAR', itemInSession: 'BIGINT', lastName: 'VARCHAR',
  length: 'DOUBLE', level: 'VARCHAR', location: 'VARCHAR', method: 'VARCHAR', page: 'VARCHAR', registration: 'DOUBLE',
  sessionId: 'BIGINT', song: 'VARCHAR', status: 'BIGINT', ts: 'BIGINT', userAgent: 'VARCHAR', userId: 'VARCHAR'
});
