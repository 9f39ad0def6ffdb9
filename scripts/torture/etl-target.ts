/** One engine under torture: a service that is started anew whenever it dies, its sources, and what it must have in the end. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startAwsEmulator } from '../../test/emulators/aws.ts'
import { clusterOfAws } from '../../test/emulators/redshift/of-aws.ts'
import { startRedshiftEmulator } from '../../test/emulators/redshift.ts'
import { type Replica, startReplicas } from './replicas.ts'

export const engines = ['duckdb', 'redshift'] as const
export type EngineName = (typeof engines)[number]

const ADMIN_KEY = 'torture-admin-key-0123456789'
const BUCKET = 'sparkify-data'
const SCRATCH = 'sparkify-manifests'

export interface Target {
  name: EngineName
  /** Its settings, for whoever opens its warehouse when it is gone. */
  env: Record<string, string>
  replica: Replica
  put(name: string, content: string): void
  /** Answers as soon as the service is there to give one. */
  ask(method: string, path: string, options?: { body?: object; key?: string; wait?: number }): Promise<Reply>
  /** The service's own events of a job, as they come; ends with the connection. */
  follow(id: string, signal: AbortSignal): AsyncGenerator<string>
  /** Objects that are left in the scratch bucket. */
  scratch(): string[]
  /** Ends the service; what the warehouse needs goes on. */
  stopService(): Promise<void>
  close(): Promise<void>
}

export interface Reply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever came back.
  body: any
}

export async function startTarget(name: EngineName, directory: string): Promise<Target> {
  const home = join(directory, name)
  mkdirSync(join(home, 'sources', 'song_data'), { recursive: true })
  mkdirSync(join(home, 'sources', 'log_data'), { recursive: true })
  const cloud = name === 'redshift' ? await startCloud(home) : undefined
  const env = {
    ADMIN_API_KEY: ADMIN_KEY,
    JOB_LEASE_SECONDS: '3',
    SONG_DATA: join(home, 'sources', 'song_data'),
    LOG_DATA: join(home, 'sources', 'log_data'),
    ...cloud?.env
  }
  const replicas = await startReplicas(1, home, env)
  const [replica] = replicas.list as [Replica]
  const headers = (more: object) => ({ authorization: `Bearer ${ADMIN_KEY}`, ...more })

  async function ask(
    method: string,
    path: string,
    { body, key, wait = 0 }: { body?: object; key?: string; wait?: number } = {}
  ): Promise<Reply> {
    for (;;) {
      try {
        const response = await fetch(replica.url + path, {
          method,
          headers: headers({
            ...(wait > 0 && { prefer: `wait=${wait}` }),
            ...(key && { 'idempotency-key': key }),
            ...(body && { 'content-type': 'application/json' })
          }),
          ...(body && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(70_000)
        })
        const answer = await response.json()
        if (response.status !== 503) return { status: response.status, body: answer }
      } catch {
        // It is dead, or about to be.
      }
      await sleep(50)
    }
  }

  return {
    ...{ name, replica, ask },
    env: { ...env, DATA_DIR: join(home, replica.name), LOG_LEVEL: 'silent', RATE_LIMIT_PER_MINUTE: '0' },
    put(file, content) {
      writeFileSync(join(home, 'sources', file), content)
      cloud?.put(file, content)
    },
    async *follow(id, signal) {
      const response = await fetch(`${replica.url}/v1/jobs/${id}/events`, {
        headers: headers({ accept: 'text/event-stream' }),
        signal
      })
      for await (const chunk of response.body ?? []) yield Buffer.from(chunk).toString()
    },
    scratch: () => cloud?.scratch() ?? [],
    stopService: () => replicas.stop(),
    close: async () => void (await cloud?.close())
  }
}

async function startCloud(home: string) {
  const aws = await startAwsEmulator({ delays: { create: 500 } })
  for (const bucket of [BUCKET, SCRATCH]) aws.s3.createBucket(bucket)
  const redshift = await startRedshiftEmulator({ ...clusterOfAws(aws, 'sparkify'), database: 'sparkify' })
  aws.redshiftEndpoint = { host: redshift.serverName, port: redshift.port }
  const authorities = join(home, 'ca.pem')
  writeFileSync(authorities, redshift.ca)
  return {
    env: {
      ...aws.env,
      ...{ WAREHOUSE: 'redshift', CLUSTER_MODE: 'managed', AWS_REGION: aws.region },
      ...{ SONG_DATA: `s3://${BUCKET}/song_data`, LOG_DATA: `s3://${BUCKET}/log_data` },
      MANIFEST_PREFIX: `s3://${SCRATCH}/loads/`,
      ...{ REDSHIFT_HOST: redshift.host, REDSHIFT_PORT: String(redshift.port) },
      REDSHIFT_TLS_CA_FILE: authorities
    },
    put: (name: string, content: string) => void aws.s3.put(BUCKET, name, content),
    scratch: () => aws.s3.keys(SCRATCH),
    async close() {
      await redshift.close()
      await aws.close()
    }
  }
}
