/** The first calls of docs/production.md do what they say, as printed, on an emulated account. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { event, lines, song } from './records.ts'
import { buildOnRedshift } from './redshift-fixture.ts'

const guide = readFileSync(new URL('../docs/production.md', import.meta.url), 'utf8')
const [, block = ''] = /## 5\. First calls\n\n```sh\n([\s\S]*?)```/.exec(guide) ?? []
const calls = block.replaceAll('\\\n', ' ').trim().split('\n')

t.test('the first calls', { timeout: 60_000 }, async (t) => {
  const service = await buildOnRedshift(t)
  service.put({ 'song_data/A/a.json': lines(song()), 'log_data/2018/11/day.json': lines(event()) })
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const env = { ...process.env, API: url, AUTH: `Authorization: Bearer ${service.keys.admin}` }
  const answers = new Map<string, Record<string, unknown>>()
  for (const call of calls) {
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', call], { env })
    const answer = JSON.parse(stdout)
    const [, path = ''] = /\$API(\S+?)"/.exec(call) ?? []
    // Where the guide says to follow the job, it is followed.
    const job = String(answer.id).startsWith('job_') ? await service.waitForJob(answer.id) : answer
    answers.set(path, job)
  }
  const of = (path: string) => answers.get(path)
  t.match(of('/v1/cluster/plan'), { actions: Array, estimated_cost: { per_hour: Number } }, 'what it costs')
  t.match(of('/v1/cluster'), { type: 'cluster.provision', status: 'succeeded' })
  t.match(of('/v1/tables'), { type: 'tables.create', status: 'succeeded' })
  t.match(of('/v1/jobs'), { status: 'succeeded', result: { dry_run: true, events: { objects: 1 } } })
  t.match(of('/v1/schedules'), { name: 'nightly load' })
  t.match(of('/v1/doctor'), { checks: Array })
  t.equal(answers.size, calls.length, 'every call was made')
})
