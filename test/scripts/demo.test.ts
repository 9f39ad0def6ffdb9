/** The README's first command, as a newcomer runs it; and its way of a real deployment, which has the same answers. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { temporaryDirectory } from '../files.ts'
import { copyEmptyPglite } from '../helper.ts'
import { freePort } from '../postgres-server.ts'

const script = new URL('../../scripts/demo.ts', import.meta.url).pathname

/** What the demo prints. */
async function runDemo(t: Test, ...args: string[]): Promise<string> {
  const directory = join(temporaryDirectory(t), 'demo')
  await copyEmptyPglite(join(directory, 'store'))
  const env = {
    ...process.env,
    // What it runs is covered elsewhere.
    ...{ NODE_V8_COVERAGE: '', DATA_DIR: directory, PORT: String(await freePort()) }
  }
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--exit', ...args], { env })
  return stdout
}

/** The receipt and the tables, without what differs from run to run. */
const answersOf = (stdout: string) =>
  /Receipt of load 1[\s\S]*(?=From command to answer)/.exec(stdout)?.[0] ?? ''

t.test('the demo loads a month of data over HTTP and answers', { timeout: 120_000 }, async (t) => {
  const stdout = await runDemo(t)
  const answers = answersOf(stdout)
  for (const part of ['Top songs of 2018', 'Top artists of 2018']) t.ok(answers.includes(part), part)
  const [, read, loaded, duplicates, rejected] =
    /events\s+([\d,]+) read = ([\d,]+) loaded \+ ([\d,]+) duplicates \+ ([\d,]+) rejected/.exec(answers) ?? []
  t.ok(Number(read?.replaceAll(',', '')) > 7000, 'a month of events is read')
  t.same([loaded, duplicates, rejected], [read, '0', '0'], 'and all of them are loaded')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not be there.
  t.notMatch(stdout, /\u001b|\r/, 'piped output is plain lines')

  t.test('on Redshift it answers the same', async (t) => {
    const emulated = await runDemo(t, '--redshift')
    t.match(emulated, /Ensure the cluster +provisioned/)
    t.equal(answersOf(emulated), answers)
  })
})
