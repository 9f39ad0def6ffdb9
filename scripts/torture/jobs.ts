/**
 * `npm run torture:jobs`: three replicas of the service on one PostgreSQL and one cluster, jobs started and cancelled at
 * any of them, while replicas are killed, paused and stopped, and the database crashes. Then everything is counted.
 *
 * JOBS (default 500) and SEED (default: drawn, and printed) may be set; a seed repeats the decisions, not their timing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, type Random, weighted } from '../../src/sources/sample/random.ts'
import { type DurablePostgres, startDurablePostgres } from '../../test/durable-postgres.ts'
import { startAwsEmulator } from '../../test/emulators/aws.ts'
import { clusterOfAws } from '../../test/emulators/redshift/of-aws.ts'
import { startRedshiftEmulator } from '../../test/emulators/redshift.ts'
import { event, lines, song } from '../../test/records.ts'
import { audit, type Expected } from './audit.ts'
import { type Replica, startReplicas } from './replicas.ts'

const jobCount = Number(process.env.JOBS ?? 500)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
/** Short, or most of the time would pass waiting for leases to run out. */
const LEASE_SECONDS = 3
/** Jobs that are started and not ended at the same time. */
const IN_FLIGHT = 12
const ADMIN_KEY = 'torture-admin-key-0123456789'
const BUCKET = 'sparkify-data'
const SCRATCH = 'sparkify-manifests'

const say = (line: string) => process.stdout.write(`${line}\n`)
const directory = mkdtempSync(join(tmpdir(), 'sparkify-torture-'))
say(`seed\t${seed}\nlogs\t${directory}`)

const expected: Expected = { jobs: new Map(), objects: new Map(), told: new Map() }
const done: Record<string, number> = {}
const count = (what: string) => {
  done[what] = (done[what] ?? 0) + 1
}

const receiver = createServer(async (request, response) => {
  const body = JSON.parse(Buffer.concat(await request.toArray()).toString())
  const ids = expected.told.get(body.data.id) ?? new Set()
  expected.told.set(body.data.id, ids.add(String(request.headers['webhook-id'])))
  count('webhooks received')
  response.writeHead(204).end()
})
await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
const receiverHost = `127.0.0.1:${(receiver.address() as AddressInfo).port}`

const aws = await startAwsEmulator({ delays: { create: 500 } })
aws.s3.createBucket(BUCKET)
aws.s3.createBucket(SCRATCH)
aws.s3.put(BUCKET, 'song_data/1.json', lines(song()))
const redshift = await startRedshiftEmulator({ ...clusterOfAws(aws, 'sparkify'), database: 'sparkify' })
aws.redshiftEndpoint = { host: redshift.serverName, port: redshift.port }
const authorities = join(directory, 'ca.pem')
writeFileSync(authorities, redshift.ca)
const postgres = await startDurablePostgres(directory)

const replicas = await startReplicas(3, directory, {
  ...aws.env,
  ...{ WAREHOUSE: 'redshift', CLUSTER_MODE: 'managed', AWS_REGION: aws.region },
  ...{ SONG_DATA: `s3://${BUCKET}/song_data`, LOG_DATA: `s3://${BUCKET}/log_data` },
  MANIFEST_PREFIX: `s3://${SCRATCH}/loads/`,
  ...{
    REDSHIFT_HOST: redshift.host,
    REDSHIFT_PORT: String(redshift.port),
    REDSHIFT_TLS_CA_FILE: authorities
  },
  ...{ DATABASE_URL: postgres.url, ADMIN_API_KEY: ADMIN_KEY, JOB_LEASE_SECONDS: String(LEASE_SECONDS) },
  RATE_LIMIT_PER_MINUTE: '0',
  ...{ WEBHOOK_HOSTS: receiverHost, WEBHOOK_SECRET: ADMIN_KEY, WEBHOOK_ALLOW_PRIVATE: 'true' }
})

interface Reply {
  status: number
  /** The job, or the problem in its place. */
  body: { id: string; status: string; finished_at: string | null }
}

/** Asks one replica after the other until one answers; what is in the way is no answer. */
async function ask(
  random: Random,
  method: string,
  path: string,
  options: { body?: object; key?: string } = {}
): Promise<Reply> {
  for (;;) {
    const replica = random.pick(replicas.list)
    try {
      const response = await fetch(replica.url + path, {
        method,
        headers: {
          authorization: `Bearer ${ADMIN_KEY}`,
          ...(method === 'GET' && { prefer: 'wait=5' }),
          ...(options.key && { 'idempotency-key': options.key }),
          ...(options.body && { 'content-type': 'application/json' })
        },
        ...(options.body && { body: JSON.stringify(options.body) }),
        signal: AbortSignal.timeout(10_000)
      })
      const body = (await response.json()) as Reply['body']
      if (response.status < 500 && response.status !== 429) return { status: response.status, body }
      count(`answers ${response.status}`)
    } catch {
      count('requests without an answer')
    }
    await sleep(50 + random.int(200))
  }
}

/** Follows a job to its end, at any replica. */
async function follow(random: Random, id: string): Promise<Reply['body']> {
  for (;;) {
    const { status, body } = await ask(random, 'GET', `/v1/jobs/${id}`)
    if (status !== 200) throw new Error(`GET /v1/jobs/${id}: ${JSON.stringify(body)}`)
    if (body.finished_at !== null) return body
  }
}

/** Puts an object, starts a load under a key, at two replicas at once now and then, and may cancel it. */
async function runJob(number: number): Promise<void> {
  const random = createRandom(seed * 1000 + number)
  if (random.chance(0.9)) putObject(random, number)
  const key = `job-${number}`
  const body = {
    ...{ type: 'etl', callback_url: `http://${receiverHost}/` },
    priority: random.pick(['low', 'normal', 'high']),
    ...(random.chance(0.1) && { timeout_seconds: 1 + random.int(5) })
  }
  const asked = random.chance(0.2) ? 2 : 1
  const answers = await Promise.all(
    Array.from({ length: asked }, () => ask(random, 'POST', '/v1/jobs', { body, key }))
  )
  const ids = new Set(answers.map((answer) => answer.body.id))
  const [id] = ids
  if (ids.size !== 1 || typeof id !== 'string') throw new Error(`${key}: ${JSON.stringify(answers)}`)
  if (random.chance(0.15)) {
    await sleep(random.int(1500))
    await ask(random, 'POST', `/v1/jobs/${id}/cancel`)
    count('cancels')
  }
  const { status } = await follow(random, id)
  expected.jobs.set(key, { id, status })
  if (expected.jobs.size % 50 === 0) say(`${expected.jobs.size} of ${jobCount} jobs have ended`)
}

function putObject(random: Random, number: number) {
  const events = Array.from({ length: 1 + random.int(5) }, (_, item) =>
    event({ sessionId: number, itemInSession: item, ts: 1541106000796 + number * 60_000 + item })
  )
  const key = `log_data/${String(number).padStart(6, '0')}.json`
  aws.s3.put(BUCKET, key, lines(...events))
  expected.objects.set(`s3://${BUCKET}/${key}`, events.length)
}

/** Until told to stop: something breaks, and is whole again soon after. */
async function disturb(signal: AbortSignal): Promise<void> {
  const random = createRandom(seed)
  const actions: [number, string, () => Promise<void>][] = [
    [5, 'kill -9 of a replica', async () => random.pick(replicas.list).signal('SIGKILL')],
    [2, 'stop of a replica', async () => random.pick(replicas.list).signal('SIGTERM')],
    [4, 'pause of a replica', async () => pause(random.pick(replicas.list), random)],
    [1, 'crash of the database', () => restart(postgres, 'SIGQUIT', random)],
    [1, 'restart of the database', () => restart(postgres, 'SIGINT', random)],
    [3, 'commit without an answer', async () => loseCommit('after')],
    [1, 'connection lost before a commit', async () => loseCommit('before')],
    [1, 'loss of all connections to the cluster', async () => redshift.disconnectAll()]
  ]
  const draw = weighted(
    random,
    actions.map(([weight]) => weight)
  )
  while (!signal.aborted) {
    await sleep(300 + random.int(2500))
    const action = actions[draw()]
    if (action === undefined || signal.aborted) return
    count(action[1])
    await action[2]()
  }
}

/** The next transaction of a load ends without its session hearing of it. */
const loseCommit = (when: 'before' | 'after') =>
  redshift.inject({ match: 'commit', fault: { type: 'disconnect', when } })

/** Half of the time beyond its lease: it then goes on as if it still had its job. */
function pause(replica: Replica, random: Random) {
  replica.signal('SIGSTOP')
  setTimeout(() => replica.signal('SIGCONT'), random.int(2 * LEASE_SECONDS * 1000))
}

async function restart(server: DurablePostgres, signal: 'SIGQUIT' | 'SIGINT', random: Random) {
  await server.stop(signal)
  await sleep(random.int(1500))
  await server.start()
}

const began = performance.now()
const random = createRandom(seed + 1)
await ask(random, 'PUT', '/v1/cluster').then(({ body }) => follow(random, body.id))
await ask(random, 'POST', '/v1/tables').then(({ body }) => follow(random, body.id))
// These two are no part of what is counted.
await postgres.query('truncate jobs cascade')

const chaos = new AbortController()
const disturbance = disturb(chaos.signal)
let next = 0
await Promise.all(
  Array.from({ length: IN_FLIGHT }, async () => {
    while (next < jobCount) {
      next += 1
      await runJob(next)
    }
  })
)
chaos.abort()
await disturbance
for (const replica of replicas.list) replica.signal('SIGCONT')

// What cancelled and failed loads have left is loaded by one that nobody disturbs.
const body = { type: 'etl', callback_url: `http://${receiverHost}/` }
const last = await follow(random, (await ask(random, 'POST', '/v1/jobs', { body, key: 'last' })).body.id)
expected.jobs.set('last', last)
for (let tries = 0; tries < 120; tries += 1) {
  const pending = await postgres.query("select from webhook_deliveries where status = 'pending'")
  if (pending.length === 0) break
  await sleep(1000)
}
await replicas.stop()
const { findings, figures } = await audit(postgres, redshift, expected)
await postgres.stop('SIGINT')
await redshift.close()
await aws.close()
receiver.close()

const seconds = Math.round((performance.now() - began) / 1000)
for (const [name, value] of Object.entries({ ...done, ...figures, seconds })) say(`${name}\t${value}`)
for (const finding of findings) say(`FINDING\t${finding}`)
say(`findings\t${findings.length}`)
if (findings.length === 0) rmSync(directory, { recursive: true, force: true })
process.exit(findings.length === 0 ? 0 : 1)
