/** Workers in processes of their own: one that is paused beyond its lease, and one whose event loop is busy. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { openPostgres } from '../../src/store/postgres.ts'
import {
  clear,
  enqueue,
  readAttempts,
  readJob,
  readStory,
  until,
  untilStatus,
  work
} from '../jobs-fixture.ts'
import { createStoreDatabase } from '../postgres.ts'

const url = await createStoreDatabase(t)
const store = await openPostgres(url)
t.teardown(() => store.close())
t.beforeEach(() => clear(store))

const program = fileURLToPath(new URL('../worker-process.ts', import.meta.url))

function startProcess(t: Test, leaseSeconds: number) {
  const child = spawn(process.execPath, [program, url, String(leaseSeconds)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return { signal: (name: NodeJS.Signals) => child.kill(name), said: (text: string) => output.includes(text) }
}

t.test(
  'a worker that was paused beyond its lease has lost its job, and changes nothing any more',
  async (t) => {
    await enqueue(store, { id: 'job_1' })
    const paused = startProcess(t, 2)
    await until(() => paused.said('at work'))
    paused.signal('SIGSTOP')
    const goOn = Promise.withResolvers<void>()
    await work(t, store, async (context) => {
      await context.step('work')
      await goOn.promise
      return { by: 'the new attempt' }
    })
    await until(async () => (await readJob(store, 'job_1')).attempt === 2)
    paused.signal('SIGCONT')
    await until(() => paused.said('the lease was lost: this attempt changes nothing any more'))
    goOn.resolve()
    t.match(await untilStatus(store, 'job_1', 'succeeded'), {
      ...{ attempt: 2, result: { by: 'the new attempt' }, progress: { rows: 0 } }
    })
    t.same(await readStory(store, 'job_1'), [
      ...['started 1', 'step 1', 'lost 2', 'started 2', 'step 2', 'succeeded 2']
    ])
    t.same(await readAttempts(store, 'job_1'), [
      { attempt: 1, outcome: 'lost', code: null, ended: true },
      { attempt: 2, outcome: 'succeeded', code: null, ended: true }
    ])
  }
)

t.test('a busy event loop does not keep leases from being renewed', async (t) => {
  await enqueue(store, { id: 'job_1', params: { block_ms: 6000 } })
  startProcess(t, 3)
  await until(async () => (await readJob(store, 'job_1')).status === 'running')
  await work(t, store, async () => ({ by: 'somebody else' }))
  t.match(await untilStatus(store, 'job_1', 'succeeded'), { attempt: 1 })
  t.same(await readStory(store, 'job_1'), ['started 1', 'step 1', 'succeeded 1'])
})
