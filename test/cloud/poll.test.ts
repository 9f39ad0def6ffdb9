import t from 'tap'
import { type PollOptions, poll, retry, systemClock } from '../../src/cloud/poll.ts'
import { ServiceError } from '../../src/errors.ts'
import { createTestClock } from './fixture.ts'

const never = new AbortController().signal

function options(states: (string | Error)[], more: Partial<PollOptions<string>> = {}): PollOptions<string> {
  let look = 0
  return {
    clock: createTestClock(),
    signal: never,
    look: async () => {
      const state = states[Math.min(look, states.length - 1)]
      look += 1
      if (state instanceof Error) throw state
      return state ?? ''
    },
    isDone: (state) => state === 'available',
    firstPause: 1_000,
    longestPause: 4_000,
    timeout: 60_000,
    onTimeout: (last) => new Error(`still ${last}`),
    ...more
  }
}

t.test('it looks at once, then with growing pauses that vary', async (t) => {
  const clock = createTestClock()
  const random = [0, 1, 0.5, 0.5]
  clock.random = () => random.shift() ?? 0.5
  const pauses: number[] = []
  const { sleep } = clock
  clock.sleep = (ms, signal) => {
    pauses.push(ms)
    return sleep(ms, signal)
  }
  t.equal(await poll(options(['a', 'b', 'c', 'd', 'e', 'available'], { clock })), 'available')
  t.same(pauses, [750, 1875, 2250, 3375, 4000])
})

t.test('it ends at its timeout with the last state', async (t) => {
  await t.rejects(poll(options(['creating'])), { message: 'still creating' })
})

t.test('a state that leads nowhere ends it', async (t) => {
  const isDone = () => {
    throw new Error('failed')
  }
  await t.rejects(poll(options(['creating'], { isDone })), { message: 'failed' })
})

t.test('an outage is waited out a few times, anything else is not', async (t) => {
  const outage = new ServiceError('aws_unavailable', 'away')
  t.equal(await poll(options([...Array<Error>(5).fill(outage), 'available'])), 'available')
  await t.rejects(poll(options([outage])), { code: 'aws_unavailable' })
  await t.rejects(poll(options([new ServiceError('aws_access_denied', 'no')])), { code: 'aws_access_denied' })
})

t.test('it stops when it is told to, in the middle of a pause too', async (t) => {
  const controller = new AbortController()
  const waiting = poll(
    options(['creating'], { clock: systemClock, signal: controller.signal, firstPause: 60_000 })
  )
  setImmediate(() => controller.abort(new Error('shutdown')))
  await t.rejects(waiting, { message: 'shutdown' })
  await t.rejects(poll(options(['available'], { signal: controller.signal })), { message: 'shutdown' })
})

t.test('a retry ends with the error, or with what is made of it', async (t) => {
  const clock = createTestClock()
  const common = { clock, signal: never, firstPause: 1_000, longestPause: 1_000, timeout: 5_000 }
  let tries = 0
  const work = async () => {
    tries += 1
    throw new Error(`try ${tries}`)
  }
  await t.rejects(retry(work, { ...common, passes: () => false }), { message: 'try 1' })
  await t.rejects(retry(work, { ...common, passes: () => true }), { message: 'try 7' })
  const onTimeout = () => new Error('too long')
  await t.rejects(retry(work, { ...common, passes: () => true, onTimeout }), { message: 'too long' })
  t.equal(await retry(async () => 'done', { ...common, passes: () => true }), 'done')
})
