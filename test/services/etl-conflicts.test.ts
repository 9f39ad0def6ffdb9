/** Events that contradict what is loaded, and how much of a rejected record is kept. */
import t from 'tap'
import { build } from '../helper.ts'
import { event, type Json, lines } from '../records.ts'
import { blankMegabyte, failsThenPasses, lineWith, placeOf, sourcesOf, text } from '../rejects-fixture.ts'

t.test('rejects', async (t) => {
  const service = await build(t)
  await service.prepareWarehouse()

  await t.test('an event of the same identity with another content', async (t) => {
    const sources = sourcesOf(service, 'conflicts')
    const at = (itemInSession: number, changes: Json = {}) =>
      event({ sessionId: 200, itemInSession, ...changes })
    const [blank, trailing] = [at(1, { level: null }), at(1, { song: 'Alpha ' })].map((each) =>
      JSON.stringify(each)
    )
    sources.write({
      'log-a.json': [lines(at(1), at(1)), blank, lines(at(2), at(1)), trailing].join('\n'),
      'log-b.json': lines(at(2), at(1, { userId: '2' }), at(1, { ts: 1 }))
    })
    const first = await failsThenPasses(t, service, sources, 2)
    const url = sources.urlOf('log-a.json')
    t.same(first.rejects.map(placeOf), [
      [url, 3, 'conflicting_event', null, blank],
      [url, 6, 'conflicting_event', null, trailing]
    ])
    t.match(first.rejects[0]?.message, /same sessionId, itemInSession, ts and userId/)
    t.match(first.load?.events, { read: 9, loaded: 4, duplicates: 3, rejected: 2 })

    // Another file, and one that grew, against what is loaded.
    const [other, malformed] = [JSON.stringify(at(2, { userAgent: 'other' })), '{']
    sources.write({
      'log-c.json': [lines(at(2)), other, malformed].join('\n'),
      'log-b.json': lines(at(2), at(3))
    })
    const second = await failsThenPasses(t, service, sources, 2)
    t.same(second.rejects.map(placeOf), [
      [sources.urlOf('log-c.json'), 2, 'conflicting_event', null, other],
      [sources.urlOf('log-c.json'), 3, 'malformed_json', null, malformed]
    ])
    t.match(second.load?.events, { read: 5, loaded: 1, duplicates: 2, rejected: 2 })
  })

  await t.test('a conflict in an object that the engine read itself', async (t) => {
    const sources = sourcesOf(service, 'large-conflict')
    const at = (changes: Json = {}) => event({ sessionId: 201, ...changes })
    const other = JSON.stringify(at({ level: 'paid' }))
    sources.write({ 'log-a.json': `${lines(at())}${blankMegabyte}\v\n${other}\n${lines(at())}` })
    const { rejects, load } = await failsThenPasses(t, service, sources, 1)
    t.same(rejects.map(placeOf), [[sources.urlOf('log-a.json'), 10_002, 'conflicting_event', null, other]])
    t.match(load?.events, { read: 3, loaded: 1, duplicates: 1, rejected: 1 })
  })

  await t.test('raw text is cut at its bound and marked', async (t) => {
    const sources = sourcesOf(service, 'long')
    const good = (itemInSession: number) => lines(event({ sessionId: 300, itemInSession }))
    const long = lineWith(event({ sessionId: 300 }), 'song', text(100_000))
    const huge = lineWith(event({ sessionId: 300 }), 'song', text(20 * 1024 * 1024))
    const garbage = 'é'.repeat(40_000)
    sources.write({ 'log-a.json': [good(1), long, huge, good(2), garbage].join('\n') })
    const { rejects, load } = await failsThenPasses(t, service, sources, 3)
    t.same(
      rejects.map(({ line_number, code, column, raw_truncated }) => [
        line_number,
        code,
        column,
        raw_truncated
      ]),
      [
        [2, 'value_too_long', 'song', true],
        [3, 'record_too_large', null, true],
        [5, 'malformed_json', null, true]
      ]
    )
    t.same(
      rejects.map(({ raw }) => raw),
      [long.slice(0, 60_000), huge.slice(0, 60_000), 'é'.repeat(30_000)]
    )
    t.match(load?.events, { read: 5, loaded: 2, duplicates: 0, rejected: 3 })
  })
})
