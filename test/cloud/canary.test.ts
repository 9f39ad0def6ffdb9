/**
 * The whole service as a process, over both emulators: nothing secret may leave it, in logs at their most talkative, in
 * answers, events or errors, whatever goes wrong.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startAwsEmulator } from '../emulators/aws.ts'
import { clusterOfAws } from '../emulators/redshift/of-aws.ts'
import { startRedshiftEmulator } from '../emulators/redshift.ts'
import { temporaryDirectory, writeFiles } from '../files.ts'
import { event, lines, song } from '../records.ts'
import { baseEnv } from './fixture.ts'

const server = new URL('../../src/server.ts', import.meta.url).pathname
const token = 'canary-session-token-'.repeat(4)
const adminKey = 'canary-admin-key-0123456789'

t.test('no secret leaves the service', { timeout: 110_000 }, async (t) => {
  const aws = await startAwsEmulator({
    identity: { secretAccessKey: 'canary-secret-access-key', sessionToken: token },
    delays: { create: 500, pause: 100, resume: 100, delete: 100 }
  })
  t.teardown(() => aws.close())
  const redshift = await startRedshiftEmulator({ ...clusterOfAws(aws, 'sparkify'), database: 'sparkify' })
  t.teardown(() => redshift.close())
  aws.redshiftEndpoint = { host: redshift.host, port: redshift.port }
  aws.s3.createBucket('udacity-dend')
  aws.s3.createBucket('sparkify-manifests')
  aws.s3.put('udacity-dend', 'song_data/1.json', lines(song()))
  aws.s3.put('udacity-dend', 'log_data/1.json', `${lines(event())}\n{"ts": "no time"}`)
  const directory = temporaryDirectory(t)
  writeFiles(directory, { 'ca.pem': redshift.ca })

  const output: string[] = []
  const child = spawn(process.execPath, [server], {
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      ...aws.env,
      ...baseEnv,
      LOG_JSONPATHS: '',
      PORT: '0',
      DATA_DIR: join(directory, 'var'),
      ADMIN_API_KEY: adminKey,
      LOG_LEVEL: 'trace',
      REDSHIFT_TLS_CA_FILE: join(directory, 'ca.pem'),
      REDSHIFT_TLS_SERVER_NAME: redshift.serverName
    }
  })
  t.teardown(() => child.kill('SIGKILL'))
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)))

  let address: string | undefined
  for (let tries = 0; tries < 300 && address === undefined; tries += 1) {
    address = /http:\/\/127\.0\.0\.1:\d+(?=")/.exec(output.join('').replaceAll(aws.url, ''))?.[0]
    await sleep(100)
  }
  async function request(method: string, path: string, payload?: object) {
    const headers = {
      ...{ authorization: `Bearer ${adminKey}`, prefer: 'wait=60' },
      ...(payload && { 'content-type': 'application/json' })
    }
    const body = payload && JSON.stringify(payload)
    const response = await fetch(`${address}${path}`, { method, headers, ...(body && { body }) })
    const text = await response.text()
    output.push(JSON.stringify([...response.headers]), text)
    const answer = JSON.parse(text)
    if (answer.links?.events) await request('GET', `${answer.links.events}?limit=200`)
    return answer
  }

  const log = output.join('')
  t.match(log, /"msg":"AWS endpoints"/)
  t.match(log, /"level":40,.*"msg":"requests to redshift, iam, ec2, sts, s3 do not go to AWS/)

  aws.inject({ operation: 'CreateRole', fault: { kind: 'access-denied' } })
  t.match(await request('PUT', '/v1/cluster'), { error: { code: 'aws_access_denied' } })
  // AWS repeats the signed request, token and all, when a signature does not match.
  const canonical = `The Canonical String for this request should have been 'POST\n/\nx-amz-security-token:${token}'`
  const code = 'SignatureDoesNotMatch'
  aws.inject({ operation: 'CreateRole', fault: { kind: 'error', code, message: canonical, status: 403 } })
  t.match(await request('PUT', '/v1/cluster'), { error: { code: 'aws_credentials_invalid' } })
  // And it repeats values that it does not like.
  const repeated = { kind: 'error' as const, code: 'InvalidParameterValue', message: '' }
  aws.inject({
    operation: 'CreateCluster',
    fault: repeated,
    when: ({ MasterUserPassword }) => {
      repeated.message = `Value '${MasterUserPassword}' at 'masterUserPassword' failed to satisfy constraint`
      return true
    }
  })
  t.match(await request('PUT', '/v1/cluster'), {
    error: { code: 'aws_request_refused', detail: /\[redacted\]/ }
  })
  t.match(await request('PUT', '/v1/cluster'), { status: 'succeeded' })
  t.match(await request('GET', '/v1/cluster'), { status: 'available', isolation_level: 'Snapshot Isolation' })
  await request('POST', '/v1/tables')
  t.match(await request('POST', '/v1/jobs', { type: 'etl' }), { error: { code: 'too_many_rejects' } })
  t.match(await request('POST', '/v1/jobs', { type: 'etl', max_rejects: 1 }), { status: 'succeeded' })
  const passwords = aws.credentials('IAM:sparkify_admin', 'sparkify').map(({ password }) => password)
  aws.inject({ operation: 'GetClusterCredentials', times: 5, fault: { kind: 'expired-token' } })
  await request('GET', '/v1/tables')
  await request('POST', '/v1/cluster/pause')
  await request('GET', '/v1/cluster')
  await request('DELETE', '/v1/cluster?confirm=sparkify&final_snapshot=false')
  t.same(aws.costing(), [])

  child.kill('SIGTERM')
  await new Promise((resolve) => child.on('exit', resolve))
  const masters = aws.calls.flatMap(({ params }) => params.MasterUserPassword ?? [])
  const signatures = aws.calls.flatMap(
    ({ headers }) => /Signature=(\w+)/.exec(headers.authorization ?? '')?.[1] ?? []
  )
  t.ok(masters.length > 0 && passwords.length > 0 && signatures.length > 0, 'there was something to hide')
  const told = output.join('\n')
  const secrets = [adminKey, 'canary-secret-access-key', token, ...masters, ...passwords, ...signatures]
  const leaked = secrets.filter((secret) => told.includes(secret))
  t.same(leaked, [])
})
