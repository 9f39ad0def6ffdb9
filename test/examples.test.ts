/** The programs in examples/ do what they say, once and again. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { temporaryDirectory } from './files.ts'
import { build } from './helper.ts'
import { event, lines, song } from './records.ts'

const run = promisify(execFile)

for (const [name, ...command] of [
  ['load-and-report.sh', 'bash'],
  ['load-and-report.ts', process.execPath]
] as const) {
  t.test(name, { timeout: 60_000 }, async (t) => {
    const service = await build(t)
    writeFileSync(join(service.config.SONG_DATA, 'songs.json'), lines(song()))
    writeFileSync(join(service.config.LOG_DATA, 'events.json'), lines(event()))
    const url = await service.app.listen({ port: 0, host: '127.0.0.1' })
    const report = join(temporaryDirectory(t), 'report.csv')
    const start = (key: string) =>
      run(command[0], [fileURLToPath(new URL(`../examples/${name}`, import.meta.url)), report], {
        env: { PATH: process.env.PATH, WAREHOUSE_URL: url, WAREHOUSE_API_KEY: key }
      })
    for (const round of ['first', 'second']) {
      const { stdout } = await start(service.keys.admin)
      t.match(stdout, /^job_[0-9a-f]{32} succeeded; .*report\.csv has 1 songs at data version 1\n$/, round)
      t.match(readFileSync(report, 'utf8'), /^song_id,title,.*\r\nS1,Alpha,/)
    }
    await t.rejects(start('nobody'), { code: /^[1-9]/ }, 'a refusal ends it')
  })
}
