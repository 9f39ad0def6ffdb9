/** The README's first command, as a newcomer runs it. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { temporaryDirectory } from '../helper.ts'
import { freePort } from '../postgres-server.ts'

const script = new URL('../../scripts/demo.ts', import.meta.url).pathname

t.test('the demo loads a month of data over HTTP and answers', { timeout: 120_000 }, async (t) => {
  const env = {
    ...process.env,
    // What it runs is covered elsewhere.
    NODE_V8_COVERAGE: '',
    DATA_DIR: join(temporaryDirectory(t), 'demo'),
    PORT: String(await freePort())
  }
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--exit'], { env })
  for (const part of [
    'Top songs of 2018',
    'Top artists of 2018',
    'Receipt of load 1',
    'From command to answer'
  ]) {
    t.ok(stdout.includes(part), part)
  }
  const [, read, loaded, duplicates, rejected] =
    /events\s+([\d,]+) read = ([\d,]+) loaded \+ ([\d,]+) duplicates \+ ([\d,]+) rejected/.exec(stdout) ?? []
  t.ok(Number(read?.replaceAll(',', '')) > 7000, 'a month of events is read')
  t.same([loaded, duplicates, rejected], [read, '0', '0'], 'and all of them are loaded')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not be there.
  t.notMatch(stdout, /\u001b|\r/, 'piped output is plain lines')
})
