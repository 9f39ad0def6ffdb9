/** Answers kept, shared, bounded and stopped; and that none is ever out of date. */
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ServiceError } from '../../src/errors.ts'
import type { Values } from '../../src/schemas/analytics.ts'
import type { OpenAnswer, OpenOptions } from '../../src/services/analytics.ts'
import { readBuiltinCatalogue } from '../../src/services/analytics-catalogue.ts'
import { type AnswerFormat, chooseFormat, writeAnswer } from '../../src/services/answer-formats.ts'
import { type Answer, createAnswers } from '../../src/services/answers.ts'
import { createDataState } from '../../src/services/data-state.ts'
import { createQueryGate } from '../../src/services/query-gate.ts'
import type { Store } from '../../src/store/store.ts'
import { openTestPostgres } from '../helper.ts'

const builtin = (name: string) => {
  const found = readBuiltinCatalogue().find(({ query }) => query === name)
  if (found === undefined) throw new Error(`there is no query ${name}`)
  return found
}
const entry = { ...builtin('users-by-level'), parameters: builtin('plays-by-hour').parameters }

const opened = (version: number, params: Values = {}, batches?: Values[][]): OpenAnswer => ({
  head: { query: 'users-by-level', params, columns: entry.columns, data_version: version, as_of: null },
  version: { data_version: version, as_of: null, job_id: `job_${version}` },
  started: performance.now(),
  batches: Readable.from(batches ?? [[{ level: 'free', users: version }]])
})

/** A warehouse whose data has a version, and that counts what it is asked. */
function createAsked() {
  const asked = { version: 1, count: 0, versions: 0, delay: 0, aborted: 0 }
  const open = async (_query: string, params: Values, { signal, version: known }: OpenOptions = {}) => {
    asked.count += 1
    if (known === undefined) asked.versions += 1
    const version = Number(known?.data_version ?? asked.version)
    if (asked.delay > 0) {
      await sleep(asked.delay, undefined, { signal }).catch(() => {
        asked.aborted += 1
        throw signal?.reason
      })
    }
    return opened(version, params)
  }
  return { asked, open }
}

const find = () => entry
const never = new AbortController().signal
const json = { params: {}, format: 'json' as const, signal: () => never }
const versionOf = ({ body }: Pick<Answer, 'body'>) => JSON.parse(String(body)).data_version

function open(
  options: { concurrency?: number; waiting?: number; timeout?: number; cacheBytes?: number } = {}
) {
  const { asked, open } = createAsked()
  const state = createDataState('duckdb', {} as Store)
  const { concurrency = 4, waiting = 10, timeout = 5000, cacheBytes = 1_000_000 } = options
  const gate = createQueryGate({ concurrency, waiting, timeout })
  return { asked, state, answers: createAnswers({ analytics: { open, find }, state, gate, cacheBytes }) }
}

t.test('while the data is the same the warehouse is asked once', async (t) => {
  const { asked, state, answers } = open()
  const first = await answers.answer(entry, json)
  const second = await answers.answer(entry, json)
  t.match([first.keptIn, second.keptIn, asked.count], [undefined, String, 1])
  t.equal(second.etag, first.etag)
  t.match(first.etag, /^"[\w-]{32}"$/)
  t.strictSame(second.body, first.body)
  for (const other of [
    { ...json, params: { year: 2018 } },
    { ...json, format: 'csv' as const }
  ]) {
    t.not((await answers.answer(entry, other)).etag, first.etag)
  }
  t.equal(asked.count, 3)
  t.equal((await answers.answer(entry, { ...json, isFresh: true })).etag, first.etag, 'asked anew, the same')
  t.equal(asked.count, 4)
  t.equal(asked.versions, 2, 'its version too, but for who wants it anew')

  await state.changing(async () => {
    asked.version = 2
  })
  const third = await answers.answer(entry, json)
  t.equal(versionOf(third), 2)
  t.not(third.etag, first.etag)
  t.equal(asked.versions, 3)
})

t.test('nothing is kept while the data changes', async (t) => {
  const { asked, state, answers } = open()
  await state.changing(async () => {
    await answers.answer(entry, json)
    await answers.answer(entry, json)
    t.equal(asked.count, 2)
  })
  asked.delay = 50
  const early = answers.answer(entry, json)
  await sleep(10)
  await state.changing(async () => {
    asked.version = 2
  })
  await early
  t.equal(versionOf(await answers.answer(entry, json)), 2, 'what was read across the change is not served')
})

t.test('who waits for a turn while the data changes is answered with the others', async (t) => {
  const { asked, state, answers } = open({ concurrency: 1 })
  asked.delay = 200
  const ask = () => answers.answer(entry, json)
  const asking: Promise<Answer>[] = []
  await state.changing(async () => {
    asking.push(ask())
    await sleep(10)
    for (let count = 0; count < 10; count += 1) asking.push(ask())
    asked.version = 2
  })
  await sleep(1)
  const last = ask()
  const [first, ...waiting] = await Promise.all(asking)
  t.match(first, { data_version: 1 }, 'it had begun before')
  t.strictSame(new Set(waiting.map(({ data_version }) => data_version)), new Set([2]))
  t.match(await last, { data_version: 2, keptIn: String }, 'who asked after it takes what was kept since')
  t.equal(asked.count, 2)
})

t.test('the same question at the same time is answered once, and stopped when nobody waits', async (t) => {
  const { asked, answers } = open()
  asked.delay = 60
  const many = await Promise.all(Array.from({ length: 20 }, () => answers.answer(entry, json)))
  t.equal(asked.count, 1)
  t.equal(new Set(many.map(({ etag }) => etag)).size, 1)

  const leaving = [new AbortController(), new AbortController()] as const
  const waiting = leaving.map(({ signal }) =>
    answers
      .answer(entry, { ...json, params: { year: 1 }, signal: () => signal })
      .catch((error) => error.message)
  )
  await sleep(10)
  leaving[0].abort(new Error('first left'))
  await sleep(10)
  t.equal(asked.aborted, 0, 'somebody waits')
  leaving[1].abort(new Error('second left'))
  t.strictSame(await Promise.all(waiting), ['first left', 'second left'])
  await sleep(5)
  t.equal(asked.aborted, 1)
  t.equal(versionOf(await answers.answer(entry, { ...json, params: { year: 1 } })), 1, 'and asked again')
})

t.test('the cache is bounded, and may be off', async (t) => {
  const small = open({ cacheBytes: 3000 })
  for (let year = 0; year < 5; year += 1) await small.answers.answer(entry, { ...json, params: { year } })
  await small.answers.answer(entry, { ...json, params: { year: 0 } })
  t.equal(small.asked.count, 6, 'the oldest had to go')
  const off = open({ cacheBytes: 0 })
  await off.answers.answer(entry, json)
  await off.answers.answer(entry, json)
  t.equal(off.asked.count, 2)
})

t.test('too many queries are refused, and slow ones stopped', async (t) => {
  const { asked, answers } = open({ concurrency: 1, waiting: 1, timeout: 100 })
  asked.delay = 40
  const ask = (year: number) => answers.answer(entry, { ...json, params: { year } })
  const [first, second, third] = await Promise.allSettled([ask(1), ask(2), ask(3)])
  t.match([first?.status, second?.status], ['fulfilled', 'fulfilled'])
  t.match(third, { status: 'rejected', reason: { code: 'too_many_queries', status: 503 } })
  asked.delay = 10_000
  await t.rejects(ask(4), { code: 'query_timeout', status: 504, message: /stopped after 0.1 seconds/ })
  t.equal(asked.aborted, 1)
})

t.test('a caller may wait for its own load', async (t) => {
  const { asked, state, answers } = open()
  await t.rejects(answers.answer(entry, { ...json, minDataVersion: 2 }), {
    ...{ code: 'data_not_ready', status: 409 },
    message: /has version 1; 2 was asked for/
  })
  const waiting = answers.answer(entry, { ...json, minDataVersion: 2, wait: 5 })
  await sleep(30)
  await state.changing(async () => {
    asked.version = 2
  })
  t.equal(versionOf(await waiting), 2)
  await t.rejects(answers.answer(entry, { ...json, minDataVersion: 3, wait: 0.2 }), {
    code: 'data_not_ready'
  })
})

t.test('replicas: no answer is older than its request', { timeout: 60_000 }, async (t) => {
  const store = await openTestPostgres(t)
  // One warehouse, three services over it.
  const { asked, open } = createAsked()
  const replicas = Array.from({ length: 3 }, () => {
    const state = createDataState('redshift', store)
    const gate = createQueryGate({ concurrency: 4, waiting: 100, timeout: 5000 })
    return {
      state,
      answers: createAnswers({ analytics: { open, find }, state, gate, cacheBytes: 1_000_000 })
    }
  })
  let isOver = false
  let looks = 0
  let hits = 0
  let repeats = 0
  const stale: string[] = []
  const readers = replicas.map(async ({ answers, state }) => {
    let last: Answer | undefined
    while (!isOver) {
      const committed = asked.version
      // As it is repeated ahead of the router, or else asked for.
      const isRepeated = looks % 2 === 0 && last?.keptIn !== undefined && last.keptIn === state.known()
      const answer = isRepeated && last !== undefined ? last : await answers.answer(entry, json)
      looks += 1
      if (isRepeated) repeats += 1
      else if (answer.keptIn !== undefined) hits += 1
      if (versionOf(answer) < committed) stale.push(`${versionOf(answer)} after ${committed}`)
      last = answer
      await sleep(1)
    }
  })
  for (let version = 2; version <= 8; version += 1) {
    const publisher = replicas[version % 3]
    await publisher?.state
      .changing(async () => {
        await sleep(5)
        asked.version = version
        await sleep(5)
        // A connection that is lost on the way back has committed all the same.
        if (version % 3 === 0) throw new Error('lost')
      })
      .catch(() => {})
    await sleep(40)
  }
  isOver = true
  await Promise.all(readers)
  t.strictSame(stale, [])
  t.ok(hits > 20, `${hits} of ${looks} answers were kept ones`)
  t.ok(repeats > 20, `${repeats} of ${looks} were repeated`)
  t.comment(`${looks} looks, ${repeats} repeated, ${hits} from the cache, ${asked.count} to the warehouse`)
})

t.test('what is known without asking is known for a moment', async (t) => {
  const store = await openTestPostgres(t)
  for (const [state, known] of [
    [createDataState('redshift', store), undefined],
    [createDataState('duckdb', store), String]
  ] as const) {
    t.match(state.known(), known, 'before anybody asked')
    const current = await state.current()
    t.equal(state.known(), current)
    await state.changing(async () => t.equal(state.known(), undefined, 'a commit is under way'))
    t.not(await state.current(), current)
    await sleep(250)
    t.match(state.known(), known, 'nobody has asked for a while')
  }
})

t.test('a publisher that dies leaves readers slower, and right', async (t) => {
  const store = await openTestPostgres(t)
  const dying = createDataState('redshift', store)
  const reader = createDataState('redshift', store)
  t.equal(typeof (await reader.current()), 'string')
  // It marks, and is never heard of again.
  void dying.changing(() => new Promise<void>(() => {}))
  await sleep(450)
  t.equal(await reader.current(), undefined)
  await createDataState('redshift', store).changing(async () => {})
  await sleep(250)
  t.equal(typeof (await reader.current()), 'string', 'the next commit settles it')
})

t.test('formats', async (t) => {
  const wild = [
    [
      { level: '=1+1', users: -5 },
      { level: 'a "b", c\r\nd', users: null }
    ],
    [],
    [{ level: '-x', users: 2 }]
  ]
  const write = (format: AnswerFormat, batches: Values[][] = wild) =>
    text(writeAnswer(opened(1, {}, batches), format))
  t.equal(await write('csv'), 'level,users\r\n\'=1+1,-5\r\n"a ""b"", c\r\nd",\r\n\'-x,2\r\n')
  t.equal(
    await write('ndjson'),
    '{"level":"=1+1","users":-5}\n{"level":"a \\"b\\", c\\r\\nd","users":null}\n{"level":"-x","users":2}\n'
  )
  const { elapsed_ms, ...rest } = JSON.parse(await write('json'))
  const { head } = opened(1)
  t.strictSame(
    rest,
    JSON.parse(JSON.stringify({ ...head, rows: wild.flat(), row_count: 3, truncated: false }))
  )
  t.type(elapsed_ms, 'number')
  t.match(JSON.parse(await write('json', [[]])), { rows: [], row_count: 0 })
  t.equal(await write('csv', [[]]), 'level,users\r\n')
  t.equal(await write('ndjson', [[]]), '')
  for (const [format, accept, chosen] of [
    [undefined, undefined, 'json'],
    [undefined, '*/*', 'json'],
    [undefined, 'text/csv', 'csv'],
    [undefined, 'text/html, text/csv;q=0.5, application/x-ndjson;q=0.9', 'ndjson'],
    [undefined, 'application/json;q=0.1, text/csv', 'csv'],
    [undefined, 'text/csv;q=0, image/png', 'json'],
    ['csv', 'application/json', 'csv']
  ] as const) {
    t.equal(chooseFormat(format, accept), chosen, `${format} ${accept}`)
  }
})

t.test('what fails fails for all who wait, and is not kept', async (t) => {
  let isBroken = true
  const open = async () => {
    if (isBroken) throw new ServiceError('tables_not_created', 'Create them.')
    return opened(1)
  }
  const state = createDataState('duckdb', {} as Store)
  const gate = createQueryGate({ concurrency: 1, waiting: 1, timeout: 1000 })
  const answers = createAnswers({ analytics: { open, find }, state, gate, cacheBytes: 1000 })
  for (const { status } of await Promise.allSettled([
    answers.answer(entry, json),
    answers.answer(entry, json)
  ])) {
    t.equal(status, 'rejected')
  }
  isBroken = false
  t.equal(versionOf(await answers.answer(entry, json)), 1)
})

t.test('a large answer is sent as it is made', async (t) => {
  const rows = Array.from({ length: 1000 }, (_, n) => ({ level: 'x'.repeat(100), users: n }))
  const made = { parts: 0, ended: 0, asked: 0 }
  async function* parts(signal?: AbortSignal) {
    try {
      for (; made.parts < 100; made.parts += 1) {
        signal?.throwIfAborted()
        yield rows
      }
    } finally {
      made.ended += 1
    }
  }
  const open = async (_query: string, params: Values, { signal }: { signal?: AbortSignal } = {}) => {
    made.asked += 1
    made.parts = 0
    return { ...opened(1, params), batches: parts(signal) }
  }
  const state = createDataState('duckdb', {} as Store)
  const build = (timeout: number) => {
    const gate = createQueryGate({ concurrency: 4, waiting: 10, timeout })
    return createAnswers({ analytics: { open, find }, state, gate, cacheBytes: 100_000_000 })
  }
  const answers = build(5000)
  const bodyOf = async (answer: Promise<Answer>) => {
    const { body } = await answer
    if (typeof body === 'string') throw new Error('it is kept together')
    return body
  }

  await t.test('whole, and no faster than it is read', async (t) => {
    const body = await bodyOf(answers.answer(entry, json))
    await sleep(50)
    t.ok(made.parts < 20, `${made.parts} parts were made before anybody read`)
    const { rows: read, row_count, truncated } = JSON.parse(await text(body))
    t.match([read.length, row_count, truncated], [100_000, 100_000, false])
    t.equal((await answers.answer(entry, json)).keptIn, undefined, 'and is not kept')
  })

  await t.test('each caller has one of its own', async (t) => {
    made.asked = 0
    const [one, other] = await Promise.all([
      bodyOf(answers.answer(entry, { ...json, format: 'ndjson' })),
      bodyOf(answers.answer(entry, { ...json, format: 'ndjson' }))
    ])
    t.equal(made.asked, 2)
    t.not(one, other)
    one.destroy()
    other.destroy()
    await sleep(20)
  })

  await t.test('who hangs up stops it', async (t) => {
    made.ended = 0
    const body = await bodyOf(answers.answer(entry, { ...json, format: 'csv' }))
    body.destroy()
    await sleep(20)
    t.equal(made.ended, 1)
    t.ok(made.parts < 100)
  })

  await t.test('who takes nothing for too long is given up, and sees that it is not whole', async (t) => {
    made.ended = 0
    const body = await bodyOf(build(50).answer(entry, { ...json, params: { year: 3 } }))
    await sleep(150)
    t.equal(made.ended, 1)
    await t.rejects(text(body), 'its body breaks off')
  })
})
