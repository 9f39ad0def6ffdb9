/**
 * Does what the Dockerfile says, without a container engine: takes what .dockerignore lets into the context, installs, copies, and
 * runs the command as a user who may write to the data directory alone. Then it asks the health check, sends SIGTERM, and prints
 * the sizes of the layers. Exits 1 at the first thing that is not as it should be.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lintDockerfile, parseDockerfile, type Stage } from './dockerfile.ts'

const project = fileURLToPath(new URL('../', import.meta.url))
const read = (name: string) => readFileSync(join(project, name), 'utf8')
/** The user `node` of the image; only root can become it here. */
const NODE_USER = 1000
const isRoot = process.getuid?.() === 0
const READY_TIMEOUT = 60_000

/** What the engine would be sent: an allow-list of files and directories. */
function copyContext(to: string): void {
  const [everything, ...allowed] = read('.dockerignore').trim().split('\n')
  assert.equal(everything, '*', '.dockerignore lets nothing in that it does not name')
  for (const name of allowed)
    cpSync(join(project, name.slice(1)), join(to, name.slice(1)), { recursive: true })
}

/** Carries out the steps of a stage below `root`; returns the size of what each has added, in bytes. */
function build(stage: Stage, root: string, from: (name: string | undefined) => string): [string, number][] {
  const inside = (path: string) => join(root, path.startsWith('/') ? path : join(stage.workdir, path))
  mkdirSync(inside(stage.workdir), { recursive: true })
  return stage.steps.map(({ keyword, text, copyFrom, words }) => {
    const before = sizeOf(root)
    if (keyword === 'COPY') {
      const to = words.at(-1) ?? '.'
      for (const source of words.slice(0, -1)) {
        const into = to.endsWith('/') ? join(inside(to), basename(source)) : inside(to)
        cpSync(join(from(copyFrom), source), into, { recursive: true })
      }
    } else {
      // Paths of the image are below the directory that stands for it; users and groups are not known here.
      const command = text
        .replaceAll(/(?<= )\/data\b/g, join(root, 'data'))
        .replace(/ && chown node:node \S+/, '')
      execFileSync('bash', ['-euo', 'pipefail', '-c', command], {
        cwd: inside(stage.workdir),
        stdio: 'inherit'
      })
    }
    return [`${keyword} ${text}`, sizeOf(root) - before]
  })
}

function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** Runs the image's command and its health check. */
async function run(stage: Stage, root: string): Promise<void> {
  const data = join(root, 'data')
  if (isRoot) chownSync(data, NODE_USER, NODE_USER)
  const user = isRoot ? { uid: NODE_USER, gid: NODE_USER } : {}
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    ...stage.env,
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: data,
    HOME: data
  }
  const options = { cwd: join(root, stage.workdir), env, ...user }
  const [command = '', ...args] = stage.cmd
  const service = spawn(command === 'node' ? process.execPath : command, args, {
    ...options,
    stdio: ['ignore', 'ignore', 'inherit']
  })
  try {
    const [check = '', ...checkArgs] = stage.healthcheck
    const isHealthy = () =>
      spawnSync(check === 'node' ? process.execPath : check, checkArgs, options).status === 0
    assert.equal(isHealthy(), false, 'the health check fails while nothing listens')
    await until(isHealthy, service)
    service.kill('SIGTERM')
    const [code] = await once(service, 'exit')
    assert.equal(code, 0, 'SIGTERM ends it with 0')
  } finally {
    service.kill('SIGKILL')
  }
}

async function until(isTrue: () => boolean, service: ChildProcess): Promise<void> {
  const end = performance.now() + READY_TIMEOUT
  while (!isTrue()) {
    assert.equal(service.exitCode, null, 'the service has ended by itself')
    assert.ok(performance.now() < end, 'the service did not become healthy')
    await sleep(200)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

const problems = lintDockerfile(read('Dockerfile'))
assert.deepEqual(problems, [], 'the Dockerfile keeps the rules')
const directory = mkdtempSync(join(tmpdir(), 'image-'))
try {
  chmodSync(directory, 0o755)
  const stages = parseDockerfile(read('Dockerfile'))
  const context = join(directory, 'context')
  copyContext(context)
  const layers = stages.map((stage, index) =>
    build(stage, join(directory, stage.name ?? String(index)), (name) =>
      name === undefined ? context : join(directory, name)
    )
  )
  const last = stages.at(-1)
  assert.ok(last)
  const root = join(directory, last.name ?? String(stages.length - 1))
  // The root file system is read-only.
  execFileSync('chmod', ['-R', 'a-w', join(root, last.workdir)])
  await run(last, root)
  for (const [step, bytes] of layers.at(-1) ?? [])
    console.log(`${(bytes / 2 ** 20).toFixed(1).padStart(8)} MiB  ${step}`)
  console.log('the image is as the Dockerfile says; its base comes on top')
} finally {
  execFileSync('chmod', ['-R', 'u+w', directory])
  rmSync(directory, { recursive: true, force: true })
}
