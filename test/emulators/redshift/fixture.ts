/** What the emulator's own tests share: an emulator over objects in memory, and real clients of it. */
import pg from 'pg'
import type { Test } from 'tap'
import { type RedshiftEmulator, type RedshiftEmulatorOptions, startRedshiftEmulator } from '../redshift.ts'

export const role = 'arn:aws:iam::123456789012:role/dwh'
export const password = 'Correct-horse-1'

export interface TestRedshift {
  emulator: RedshiftEmulator
  /** S3: content by `bucket/key`. */
  objects: Map<string, string | Buffer>
  /** A session of `awsuser`, TLS verified. */
  connect(config?: pg.ClientConfig): Promise<TestClient>
}

export interface TestClient {
  client: pg.Client
  /** The session's process id. */
  pid: number
  /** Messages of notices received. */
  notices: string[]
  /** Runs one statement; rows as they come. */
  run(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** The statement's error. Throws when there is none. */
  fails(text: string, values?: unknown[]): Promise<pg.DatabaseError>
}

export async function startRedshift(
  t: Test,
  options: Partial<RedshiftEmulatorOptions> = {}
): Promise<TestRedshift> {
  const objects: TestRedshift['objects'] = new Map()
  const emulator = await startRedshiftEmulator({
    authenticate: (user) => (/^(?:IAMA?:)?(?:awsuser|reader)$/.test(user) ? [password] : undefined),
    isSuperuser: (user) => user === 'awsuser',
    objects: {
      async list(bucket, prefix) {
        const keys = [...objects.keys()].filter((key) => key.startsWith(`${bucket}/${prefix}`))
        return keys.map((key) => key.slice(bucket.length + 1))
      },
      async get(bucket, key) {
        const content = objects.get(`${bucket}/${key}`)
        return content === undefined ? undefined : Buffer.from(content)
      }
    },
    ...options
  })
  t.teardown(() => emulator.close())

  async function connect(config: pg.ClientConfig = {}): Promise<TestClient> {
    const client = new pg.Client({
      host: emulator.host,
      port: emulator.port,
      user: 'awsuser',
      password,
      database: emulator.database,
      ssl: { ca: emulator.ca, servername: emulator.serverName },
      ...config
    })
    const notices: string[] = []
    client.on('notice', ({ message }) => notices.push(String(message)))
    // A connection that breaks is told by the statement that was under way.
    client.on('error', () => {})
    t.teardown(() => client.end().catch(() => {}))
    await client.connect()
    const run: TestClient['run'] = async (text, values) => (await client.query(text, values)).rows
    return {
      client,
      pid: (client as unknown as { processID: number }).processID,
      notices,
      run,
      fails: (text, values) =>
        run(text, values).then(
          () => {
            throw new Error(`not refused: ${text}`)
          },
          (error) => error
        )
    }
  }

  return { emulator, objects, connect }
}

/** `COPY table FROM 's3://bucket/data/' ...` with the options that every COPY has. */
export const copyOf = (table: string, options = "json 'auto'", from = 's3://bucket/data/') =>
  `copy ${table} from '${from}' iam_role '${role}' ${options}`
