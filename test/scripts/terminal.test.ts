import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { bar, isLive, renderTable, startActivity } from '../../scripts/terminal.ts'

const fakeStream = (isTTY: boolean, columns = 40) =>
  Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns }) as unknown as NodeJS.WriteStream

t.test('tables are aligned, whatever the names hold', async (t) => {
  const columns = [
    { name: 'title', type: 'string' },
    { name: 'year', type: 'integer' },
    { name: 'plays', type: 'integer' }
  ]
  const rows = [
    { title: 'Tab\there', year: 2018, plays: 12345 },
    { title: '夜の電車', year: null, plays: 7 },
    { title: 'x'.repeat(40), year: 0, plays: 1 }
  ]
  t.equal(
    stripVTControlCharacters(renderTable(columns, rows)),
    [
      '  title                             year   plays',
      `  ${'─'.repeat(32)}  ────  ──────`,
      '  Tab·here                          2018  12,345',
      '  夜の電車                                     7',
      `  ${'x'.repeat(31)}…     0       1`,
      ''
    ].join('\n')
  )
  t.equal(renderTable(columns, []), '  (no rows)\n')
})

t.test('bars stay within their length', async (t) => {
  t.equal(bar(0), `${'░'.repeat(20)}   0 %`)
  t.equal(bar(50), `${'█'.repeat(10)}${'░'.repeat(10)}  50 %`)
  t.equal(bar(120), `${'█'.repeat(20)} 120 %`)
})

t.test('without a terminal a line is written for each step', async (t) => {
  const stream = fakeStream(false)
  const activity = startActivity('Load', stream)
  activity.update('stage', '1 %')
  activity.update('stage', '2 %')
  activity.update('check', '90 %')
  activity.done('loaded')
  t.equal(stream.read(), `  Load: 1 %\n  Load: 90 %\n✓ ${'Load'.padEnd(20)}  loaded\n`)
})

t.test('on a terminal the line is drawn over and never wraps', async (t) => {
  const stream = fakeStream(true, 20)
  const activity = startActivity('Load', stream, true)
  activity.update('stage', 'a status that is too long for the line')
  const drawn = String(stream.read())
  t.notMatch(drawn, '\n')
  for (const line of drawn.split('\r')) t.ok(stripVTControlCharacters(line).length < 20)
})

t.test('live display is for terminals whose owner did not object', async (t) => {
  t.equal(isLive(fakeStream(true), {}), true)
  t.equal(isLive(fakeStream(false), {}), false)
  t.equal(isLive(fakeStream(true), { NO_COLOR: '1' }), false)
  t.equal(isLive(fakeStream(true), { CI: 'true' }), false)
  t.equal(isLive(fakeStream(true), { TERM: 'dumb' }), false)
})
