import t from 'tap'
import { parseDefinition, tableDefinitions } from '../../src/warehouse/table-definitions.ts'

const nameOf = ({ schema, name }: { schema: string; name: string }) => `${schema}.${name}`

// The column contract: names and order.
const contract: Record<string, string> = {
  'staging.events':
    'event_id, load_id, artist, auth, firstname, gender, iteminsession, lastname, length, level, location, ' +
    'method, page, registration, sessionid, song, status, ts, useragent, userid',
  'staging.songs':
    'load_id, num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, ' +
    'song_id, title, duration, year',
  'analytics.artists': 'artist_id, name, location, latitude, longitude',
  'analytics.songplays':
    'songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent, duration',
  'analytics.songs': 'song_id, title, artist_id, year, duration',
  'analytics.time': 'start_time, hour, day, week, month, year, weekday',
  'analytics.users': 'user_id, first_name, last_name, gender, level',
  'ops.load_lock': 'load_id',
  'ops.loaded_objects':
    'load_id, kind, url, etag, bytes, records_read, records_loaded, records_duplicates, records_rejected',
  'ops.loads':
    'load_id, job_id, mode, committed_at, data_version, objects, objects_skipped, events_read, events_loaded, ' +
    'events_duplicates, events_rejected, songs_read, songs_loaded, songs_duplicates, songs_rejected, receipt',
  'ops.rejects':
    'reject_id, job_id, load_id, kind, url, etag, line_number, code, column_name, message, raw_text, raw_truncated, ' +
    'rejected_at, replayed_by'
}

t.test('the tables have the columns of the data contract, in its order', async (t) => {
  t.same(
    tableDefinitions.map((table) => [nameOf(table), table.columns.map(({ name }) => name).join(', ')]),
    Object.entries(contract)
  )
})

t.test('distribution, sort key and key are those of the data contract', async (t) => {
  const layout = Object.fromEntries(
    tableDefinitions.map(({ distribution, sort_key, key, ...table }) => [
      nameOf(table),
      { distribution, sort_key, key }
    ])
  )
  t.match(layout, {
    'analytics.songplays': {
      distribution: { style: 'key', column: 'song_id' },
      sort_key: ['start_time'],
      key: ['songplay_id']
    },
    'analytics.songs': { distribution: { style: 'key', column: 'song_id' }, key: ['song_id'] },
    'analytics.artists': { distribution: { style: 'key', column: 'artist_id' }, key: ['artist_id'] },
    'analytics.users': { distribution: { style: 'all' }, key: ['user_id'] },
    'analytics.time': { sort_key: ['start_time'], key: ['start_time'] }
  })
  for (const table of tableDefinitions) {
    const { name, distribution, sort_key, key, description } = table
    const named = [...key, ...sort_key, ...(distribution.style === 'key' ? [distribution.column] : [])]
    const columns = table.columns.map(({ name }) => name)
    t.same(
      named.filter((column) => !columns.includes(column)),
      [],
      `${nameOf(table)} names columns that it has`
    )
    t.equal(key.length > 0, name !== 'load_lock', `${name} has a key, unless it never has a row`)
    t.match(description, /^[A-Z].*\.$/, `${nameOf(table)} is described`)
    const nullable = table.columns.filter(({ name, nullable }) => nullable && key.includes(name))
    t.same(nullable, [], 'a key is never null')
  }
})

t.test('numbers keep what the data has: no 4-byte floats, no decimals without a scale', async (t) => {
  const types = new Set(tableDefinitions.flatMap(({ columns }) => columns.map(({ type }) => type)))
  t.same(
    [...types].filter(
      (type) => !/^(bigint|integer|double precision|boolean|timestamp|varchar\(\d+\))$/.test(type)
    ),
    []
  )
})

const header = `description: People.
key: [id]
distribution: { style: even }
sort_key: []
`
const create = `create table if not exists ops.people (
  id bigint not null,
  first_name varchar(10)
)
`
const file = (head = header, body = create) => `/*\n${head}*/\n${body}`

t.test('a definition is read from its statement and its header', async (t) => {
  const { create, ...rest } = parseDefinition('ops.people.sql', file())
  t.same(rest, {
    schema: 'ops',
    name: 'people',
    description: 'People.',
    key: ['id'],
    distribution: { style: 'even' },
    sort_key: [],
    columns: [
      { name: 'id', type: 'bigint', nullable: false },
      { name: 'first_name', type: 'varchar(10)', nullable: true }
    ]
  })
  t.match(create.text, /^create table if not exists ops\.people \(/)
})

t.test('a wrong definition is refused with its file named', async (t) => {
  const refuses = (source: string, message: RegExp, name = 'ops.people.sql') => {
    t.throws(() => parseDefinition(name, source), { message })
  }
  const notOne = /^ops\.people\.sql is not a table definition/
  refuses(create, notOne)
  refuses('/*\n*/\nselect 1\n', notOne)
  refuses(file(header, `${create};\n`), notOne)
  refuses(file(), /^people\.sql is not a table definition/, 'people.sql')
  refuses(file(header, create.replace('ops.people', 'ops.pupils')), /creates another table, ops\.pupils/)
  refuses(file(header, create.replace('first_name', 'firstName')), /cannot read the column " {2}firstName/)
  refuses(file(header.replace('key: [id]\n', '')), /^ops\.people\.sql: the header comment .*key/)
  refuses(file(header.replace('[id]', 'id')), /^ops\.people\.sql: the header comment \/key/)
  refuses(file(header.replace('even', 'odd')), /^ops\.people\.sql: the header comment \/distribution/)
  refuses(file(`${header}sortkey: []\n`), /^ops\.people\.sql: the header comment/)
})
