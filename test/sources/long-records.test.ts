import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { mayHoldLongLine } from '../../src/sources/long-records.ts'
import { temporaryDirectory } from '../files.ts'

t.test('a file passes only if no line of it is too long', async (t) => {
  const path = join(temporaryDirectory(t), 'lines.json')
  const max = 64
  const lengths = fc.array(fc.oneof(fc.nat(20), fc.nat(200)), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(lengths, fc.boolean(), async (lengths, endsWithNewline) => {
      const content = lengths.map((length) => 'x'.repeat(length)).join('\n') + (endsWithNewline ? '\n' : '')
      writeFileSync(path, content)
      const isLong = lengths.some((length) => length > max)
      const found = await mayHoldLongLine(path, content.length, max)
      // A line between half the limit and the limit may be suspected; one beyond it must be.
      return isLong ? found : !found || lengths.some((length) => length >= max / 2)
    }),
    { numRuns: 300 }
  )
})

t.test('a line of 20 MB is found, whatever stands before it', async (t) => {
  const path = join(temporaryDirectory(t), 'lines.json')
  for (const before of [0, 1, 3_000_000, 5_000_000]) {
    const content = `${'short\n'.repeat(before / 6)}${'x'.repeat(20_000_000)}\nshort\n`
    writeFileSync(path, content)
    t.equal(await mayHoldLongLine(path, content.length, 4 * 1024 * 1024), true, `${before} bytes before`)
  }
})

t.test('ordinary lines are no reason to suspect', async (t) => {
  const path = join(temporaryDirectory(t), 'lines.json')
  const content = `${'x'.repeat(450)}\n`.repeat(40_000)
  writeFileSync(path, content)
  t.equal(await mayHoldLongLine(path, content.length, 4 * 1024 * 1024), false)
})
