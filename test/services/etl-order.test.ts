/**
 * Order independence: any split of the input into files and loads, in any order, with any repetition and with attempts
 * that die between them, leaves the same `analytics.*` as one load of everything.
 */
import * as fc from 'fast-check'
import t from 'tap'
import { type EtlFixture, openEtl } from '../etl-fixture.ts'
import {
  anyInput,
  anyLoads,
  filesOf,
  filesOfAll,
  type Input,
  type Load,
  requireEqual,
  seed,
  starOf
} from '../order-fixture.ts'

/** An attempt at a load that dies in a step, and a process that begins anew after it. */
async function crash(etl: EtlFixture, id: string, step: string): Promise<void> {
  const dying = new AbortController()
  const onStep = (name: string) => {
    if (name === step) dying.abort(new Error('died'))
  }
  await etl.load({ id, onStep, signal: dying.signal }).then(
    () => Promise.reject(new Error(`the load survived ${step}`)),
    (error) => {
      if (error.message !== 'died') throw error
    }
  )
  await etl.warehouse.close()
}

t.test('any split of the input, in any order, gives the same star', { timeout: 110_000 }, async (t) => {
  const reference = await openEtl(t)
  let runs = 0
  let crashes = 0
  const check = async (input: Input, loads: Load[]) => {
    runs += 1
    reference.write(filesOfAll(input))
    await reference.load({ params: { mode: 'full' } })

    const etl = await openEtl(t)
    for (const [number, files] of filesOf(input, loads).entries()) {
      etl.write(files)
      const [id, step] = [`job_order_${runs}_${number}`, loads[number]?.crash]
      if (typeof step === 'string') {
        crashes += 1
        await crash(etl, id, step)
      }
      await etl.load({ id })
    }
    const [expected, found] = [await starOf(reference.rows), await starOf(etl.rows)]
    await etl.warehouse.close()
    requireEqual(found, expected)
  }
  await fc.assert(fc.asyncProperty(anyInput, anyLoads, check), {
    ...{ seed, numRuns: 6 },
    // A failing example is made smaller for so long; on a slow machine fewer examples are tried.
    interruptAfterTimeLimit: 45_000
  })
  t.ok(runs > 0)
  t.comment(`${runs} examples with ${crashes} crashes, FAST_CHECK_SEED=${seed}`)
})
