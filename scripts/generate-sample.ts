/** Writes sample data: a thin command line around `generateSample`. */
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { generateSample } from '../src/sources/sample.ts'

const usage = `Usage: node scripts/generate-sample.ts --directory <path> [options]

Writes <path>/song_data and <path>/log_data: invented listening in the shape of the real data.
The same options give the same files, byte for byte.

  --directory <path>  where to write; must not exist yet, or be empty
  --seed <number>     which sample (default 1)
  --days <number>     log files, from 2018-11-01 on (default 30)
  --users <number>    listeners (default 96, more if --events asks for it)
  --songs <number>    songs in the catalogue (default 1500)
  --events <number>   events to aim at, give or take a few per cent (default 2.8 a user and day)
  --force             replace an earlier sample
  --help              show this
`

/** Thrown for a command line that makes no sense. */
class UsageError extends Error {}

function readArguments() {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      directory: text,
      seed: text,
      days: text,
      users: text,
      songs: text,
      events: text,
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return null
  if (!values.directory) throw new UsageError('--directory is missing')
  const number = (name: 'seed' | 'days' | 'users' | 'songs' | 'events') => {
    const value = values[name]
    if (value === undefined) return undefined
    if (!/^\d{1,15}$/.test(value)) throw new UsageError(`--${name} must be a whole number, not '${value}'`)
    return Number(value)
  }
  return {
    directory: values.directory,
    seed: number('seed'),
    days: number('days'),
    users: number('users'),
    songs: number('songs'),
    events: number('events'),
    replace: values.force
  }
}

async function main(): Promise<void> {
  const options = readArguments()
  if (options === null) {
    process.stdout.write(usage)
    return
  }
  const started = performance.now()
  const summary = await generateSample(options)
  const seconds = ((performance.now() - started) / 1000).toFixed(2)
  const figure = (value: number) => value.toLocaleString('en-US')
  console.log(
    `${options.directory}: ${figure(summary.events)} events (${figure(summary.plays)} plays by ` +
      `${figure(summary.users)} users) and ${figure(summary.songs)} songs in ${figure(summary.files)} files, ` +
      `${(summary.bytes / 1e6).toFixed(1)} MB, written in ${seconds} s`
  )
}

try {
  await main()
} catch (error) {
  const wrongUsage =
    error instanceof UsageError ||
    error instanceof RangeError ||
    String(Object(error).code).startsWith('ERR_PARSE_ARGS')
  console.error(error instanceof Error ? error.message : String(error))
  if (wrongUsage) console.error('\nnode scripts/generate-sample.ts --help shows the options.')
  process.exitCode = wrongUsage ? 2 : 1
}
