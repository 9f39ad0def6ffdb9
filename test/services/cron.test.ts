/** Cron expressions on the clocks of a zone, those days included on which the clocks are changed. */
import t from 'tap'
import { checkCron, localTime, nextTick, ticksAfter } from '../../src/services/cron.ts'

const at = (text: string) => new Date(text)
/** The next times after `from`, as the clocks of the zone show them. */
const local = (cron: string, time_zone: string, from: string, count: number) =>
  ticksAfter({ cron, time_zone }, at(from), count).map((tick) => localTime(tick, time_zone))

t.test('the hour that does not exist', async (t) => {
  const berlin = (cron: string, count: number) => local(cron, 'Europe/Berlin', '2026-03-28T12:00:00Z', count)
  t.same(
    berlin('30 2 * * *', 3),
    ['2026-03-29T03:00:00+02:00', '2026-03-30T02:30:00+02:00', '2026-03-31T02:30:00+02:00'],
    'the one run of that day is made as soon as the clock has passed it'
  )
  t.same(
    berlin('0 3 * * *', 2),
    ['2026-03-29T03:00:00+02:00', '2026-03-30T03:00:00+02:00'],
    'what is set for the hour after it is not moved'
  )
  t.same(
    local('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:15:00Z', 4),
    [
      '2026-03-29T01:30:00+01:00',
      '2026-03-29T03:00:00+02:00',
      '2026-03-29T03:30:00+02:00',
      '2026-03-29T04:00:00+02:00'
    ],
    'every half an hour stays every half an hour'
  )
  t.same(
    berlin('*/30 2 * * *', 2),
    ['2026-03-30T02:00:00+02:00', '2026-03-30T02:30:00+02:00'],
    'several times within that hour are left out'
  )
  t.same(
    local('30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 2),
    ['2026-03-08T03:00:00-04:00', '2026-03-09T02:30:00-04:00'],
    'elsewhere too'
  )
})

t.test('the hour that comes twice', async (t) => {
  t.same(
    local('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2),
    ['2026-10-25T02:30:00+02:00', '2026-10-26T02:30:00+01:00'],
    'a fixed time runs once, the first time'
  )
  t.same(
    local('30 2 * * *', 'Europe/Berlin', '2026-10-25T00:45:00Z', 1),
    ['2026-10-26T02:30:00+01:00'],
    'also when it is asked for between the two'
  )
  t.same(
    local('30 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', 3),
    ['2026-10-25T02:30:00+02:00', '2026-10-25T02:30:00+01:00', '2026-10-25T03:30:00+01:00'],
    'every hour stays every hour'
  )
  t.same(local('30 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00:00Z', 2), [
    ...['2026-04-05T01:30:00+11:00', '2026-04-06T01:30:00+10:30']
  ])
})

t.test('no other time is touched', async (t) => {
  t.same(local('0 0 1 1 *', 'UTC', '2026-12-31T23:59:59Z', 2), [
    ...['2027-01-01T00:00:00+00:00', '2028-01-01T00:00:00+00:00']
  ])
  t.same(local('0 12 29 2 *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', 1), ['2028-02-29T12:00:00+05:30'])
  t.same(local('@daily', 'UTC', '2026-01-01T00:00:00Z', 1), ['2026-01-02T00:00:00+00:00'])
})

t.test('what is no schedule', async (t) => {
  const now = at('2026-01-01T00:00:00Z')
  for (const [cron, reason] of [
    ['61 * * * *', /Invalid value for minute: 61/],
    ['* * * *', /five fields/],
    ['0 * * * * *', /five fields/],
    ['x', /five fields/],
    ['0 0 31 2 *', /names a time that never comes/]
  ] as const) {
    t.throws(
      () => checkCron({ cron, time_zone: 'UTC' }, now),
      { code: 'invalid_schedule', message: reason },
      cron
    )
  }
  for (const time_zone of ['', 'Mars/Olympus', 'x'.repeat(100)]) {
    t.throws(() => checkCron({ cron: '0 0 * * *', time_zone }, now), {
      ...{ code: 'invalid_schedule', errors: [{ pointer: '/time_zone' }] }
    })
  }
})

t.test('jitter is the same for everybody, and never reaches the next tick', async (t) => {
  const every = { cron: '* * * * *', time_zone: 'UTC' }
  const from = at('2026-01-01T00:00:30Z')
  t.same(nextTick({ ...every, jitter_seconds: 0 }, from, 'a')?.next_run_at, at('2026-01-01T00:01:00Z'))
  const delays = Array.from({ length: 100 }, (_, index) => {
    const tick = nextTick({ ...every, jitter_seconds: 3600 }, from, `schedule ${index}`)
    t.same(tick, nextTick({ ...every, jitter_seconds: 3600 }, from, `schedule ${index}`))
    t.same(tick?.next_tick_at, at('2026-01-01T00:01:00Z'))
    return (tick?.next_run_at.getTime() ?? 0) - at('2026-01-01T00:01:00Z').getTime()
  })
  t.ok(delays.every((delay) => delay >= 0 && delay < 60_000))
  t.ok(new Set(delays).size > 90 && Math.max(...delays) > 45_000 && Math.min(...delays) < 15_000)
})
