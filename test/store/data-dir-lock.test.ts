import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DataDirLockedError, lockDataDir } from '../../src/store/data-dir-lock.ts'
import { temporaryDirectory } from '../files.ts'

const script = `
  import { lockDataDir } from ${JSON.stringify(new URL('../../src/store/data-dir-lock.ts', import.meta.url).href)}
  const [, directory] = process.argv
  try {
    const unlock = lockDataDir(directory)
    process.on('message', () => {
      unlock()
      process.send('unlocked')
    })
    process.send('locked')
  } catch (error) {
    process.send(error.message)
    process.disconnect()
  }
`

/** A process that takes the lock and keeps it, and what it said of that: 'locked', or why not. */
async function lockInChild(t: Test, directory: string): Promise<{ child: ChildProcess; said: unknown }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, directory], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = await once(child, 'message')
  return { child, said }
}

const refusal = (directory: string, pid: number | undefined) =>
  `${directory} is in use by the process ${pid}. Stop it first, or give this one another DATA_DIR. ` +
  'Never delete the lock: two processes would corrupt the data.'

t.test('the directory is made, for its owner alone', async (t) => {
  const directory = join(temporaryDirectory(t), 'deep', 'var')
  const unlock = lockDataDir(directory)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.equal(readFileSync(join(directory, 'lock.pid'), 'utf8'), `${process.pid}\n`)
  unlock()
  t.notOk(existsSync(join(directory, 'lock.pid')))
})

t.test('a second process is refused and told the first one', async (t) => {
  const directory = temporaryDirectory(t)
  const unlock = lockDataDir(directory)
  const second = await lockInChild(t, directory)
  t.equal(second.said, refusal(directory, process.pid))
  unlock()
  const third = await lockInChild(t, directory)
  t.equal(third.said, 'locked', 'given back, it is free')
  t.throws(() => lockDataDir(directory), {
    name: 'DataDirLockedError',
    message: refusal(directory, third.child.pid)
  })
  third.child.send('unlock')
  await once(third.child, 'message')
  lockDataDir(directory)()
})

t.test('a second time in one process is refused, and the first keeps its lock', async (t) => {
  const directory = temporaryDirectory(t)
  const unlock = lockDataDir(directory)
  t.throws(() => lockDataDir(directory), { message: refusal(directory, process.pid) })
  const other = await lockInChild(t, directory)
  t.equal(other.said, refusal(directory, process.pid), 'closing the second did not open the first')
  const elsewhere = lockDataDir(temporaryDirectory(t))
  elsewhere()
  unlock()
  lockDataDir(directory)()
})

t.test('the lock of a process that was killed is taken over', async (t) => {
  const directory = temporaryDirectory(t)
  const { child } = await lockInChild(t, directory)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.equal(readFileSync(join(directory, 'lock.pid'), 'utf8'), `${child.pid}\n`, 'it could not tidy up')
  t.same(readdirSync(directory), ['lock', 'lock.pid'])
  const unlock = lockDataDir(directory)
  t.equal(readFileSync(join(directory, 'lock.pid'), 'utf8'), `${process.pid}\n`)
  const second = await lockInChild(t, directory)
  t.equal(second.said, refusal(directory, process.pid))
  unlock()
})

t.test('the lock of a process that is merely stopped is not', async (t) => {
  const directory = temporaryDirectory(t)
  const { child } = await lockInChild(t, directory)
  child.kill('SIGSTOP')
  t.throws(() => lockDataDir(directory), { message: refusal(directory, child.pid) })
  rmSync(join(directory, 'lock.pid'))
  t.throws(
    () => lockDataDir(directory),
    { message: /is in use by another process\./ },
    'whatever the pid file says'
  )
  child.kill('SIGCONT')
  child.kill('SIGKILL')
  await once(child, 'exit')
  lockDataDir(directory)()
})

t.test('what is no lock at all is another error', async (t) => {
  const directory = temporaryDirectory(t)
  lockDataDir(directory)()
  rmSync(join(directory, 'lock'))
  writeFileSync(join(directory, 'lock'), 'x'.repeat(4096))
  const error = await Promise.try(() => lockDataDir(directory)).catch((error) => error)
  t.notOk(error instanceof DataDirLockedError)
  t.match(error.message, /not a database/)
})
