import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { SiftInput, SiftProgress } from '../../src/sources/sift.ts'
import { siftInThread } from '../../src/sources/sift-thread.ts'
import { inputOf } from '../sift-fixture.ts'

const { signal } = new AbortController()

t.test('the result is the same', async (t) => {
  const input = inputOf(t, { 'a.json': '{"a":1}\nbad' })
  const result = await siftInThread(input, () => {}, signal)
  t.match(result, { records: 1, rejected: 1, rejects: [{ object_no: 1, line_number: 2, raw: 'bad' }] })
  t.equal(readFileSync(input.spoolPath, 'utf8'), '{"o":1,"l":1,"r":{"a":1}}\n')
})

t.test('a thread serves one call after another, and calls side by side have a thread each', async (t) => {
  const inputs = ['{"a":1}', '{"a":1}\n{"a":2}', 'bad'].map((text) => inputOf(t, { 'a.json': text }))
  const sift = (input: SiftInput) => siftInThread(input, () => {}, signal)
  const expected = [{ records: 1 }, { records: 2 }, { records: 0, rejected: 1 }]
  const oneByOne = []
  for (const input of inputs) oneByOne.push(await sift(input))
  t.match(oneByOne, expected)
  t.match(await Promise.all(inputs.map(sift)), expected)
})

/** The same object again and again: work for seconds. */
const longInput = (t: Test) => {
  const input = inputOf(t, { 'a.json': '{"a":1}\n'.repeat(40_000) })
  return { ...input, objects: Array.from({ length: 200 }, () => input.objects).flat() }
}

t.test('progress is told, and aborting ends the thread', async (t) => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const seen: SiftProgress[] = []
  const onProgress = (progress: SiftProgress) => {
    seen.push(progress)
    if (seen.length === 2) stop.abort(reason)
  }
  const input = longInput(t)
  await t.rejects(siftInThread(input, onProgress, stop.signal), reason)
  const told = seen.length
  const [first, second] = seen
  t.ok(first && first.records > 0 && first.bytes === first.records * 8)
  t.ok(first && second && second.records > first.records)
  const size = statSync(input.spoolPath).size
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(statSync(input.spoolPath).size, size, 'nothing is written after the end')
  t.equal(seen.length, told, 'nor told')
})

t.test('an aborted signal ends it before it begins', async (t) => {
  const reason = new Error('enough')
  await t.rejects(
    siftInThread(longInput(t), () => {}, AbortSignal.abort(reason)),
    reason
  )
})

t.test('a spool without room is a full disk, not an unreadable object', async (t) => {
  if (!existsSync('/dev/full')) return t.plan(0, '/dev/full is not on this machine')
  const full = { code: 'disk_full', status: 507, message: /DATA_DIR has no room left/ }
  const small = inputOf(t, { 'a.json': '{"a":1}' }, { spoolPath: '/dev/full' })
  await t.rejects(
    siftInThread(small, () => {}, signal),
    full
  )
  await t.rejects(
    siftInThread({ ...longInput(t), spoolPath: '/dev/full' }, () => {}, signal),
    full
  )
})

t.test('any other failure is told as it is', async (t) => {
  const input = inputOf(t, { 'a.json': '{"a":1}' })
  writeFileSync(`${input.spoolPath}-file`, '')
  await t.rejects(
    siftInThread({ ...input, spoolPath: `${input.spoolPath}-file/spool` }, () => {}, signal),
    { message: /^the sifting thread failed: ENOTDIR/ }
  )
})
