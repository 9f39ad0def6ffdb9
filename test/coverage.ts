/**
 * Loaded by `tap run` before each test file: records which lines of src/ it reaches, for c8 to sum up. NODE_V8_COVERAGE
 * would count every call, of every dependency too, and in the servers that tests start: that takes a fifth of the time.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { threadId } from 'node:worker_threads'

const directory = new URL('../.tap/v8-coverage/', import.meta.url)
const sources = new URL('../src/', import.meta.url).href

/** The emulators stand by themselves, and what runs the whole service reaches what the tests of its parts have reached. */
if (!/[./+]emulators|suites\/\d\.(base|scripts)-/.test(process.argv[1] ?? '')) measure()

function measure() {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })
  process.on('exit', () => {
    session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error
      mkdirSync(directory, { recursive: true })
      const result = coverage.result.filter(({ url }) => url.startsWith(sources))
      const file = new URL(`coverage-${process.pid}-${threadId}.json`, directory)
      writeFileSync(file, JSON.stringify({ result }))
    })
  })
}
