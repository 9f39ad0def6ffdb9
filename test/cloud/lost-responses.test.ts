/** Responses of AWS are lost (see `every`), after the call was carried out: the SDK sends it again, and nothing is doubled. */
import t from 'tap'
import { doneTwice, every, first, outcomeOf, prepare, scenarios } from './scenarios.ts'

/** The others make no calls but these. */
const chosen = [scenarios.provisions[0], scenarios.provisions[2], ...scenarios.pauses, scenarios.teardowns[2]]

for (const scenario of chosen.filter((scenario) => scenario !== undefined)) {
  const { name, operation, finalSnapshot = false } = scenario

  t.test(`${name}: lost responses`, { timeout: 120_000 }, async (t) => {
    const undisturbed = await prepare(t, scenario)
    const before = undisturbed.emulator.calls.length
    await undisturbed.run(operation, { finalSnapshot })
    const expected = outcomeOf(undisturbed)
    const calls = undisturbed.emulator.calls.length - before
    for (let after = first; after < calls; after += every) {
      const deployment = await prepare(t, scenario)
      const from = deployment.emulator.calls.length
      const injected = deployment.emulator.inject({ after, fault: { kind: 'lost-response' } })
      await deployment.run(operation, { finalSnapshot })
      const operationName = deployment.emulator.calls[from + after]?.operation
      t.equal(injected.hits, 1)
      t.same(outcomeOf(deployment), expected, `call ${after}, ${operationName}: the same end`)
      t.same(doneTwice(deployment, from), [], 'and nothing is done twice')
      await deployment.emulator.close()
    }
    t.comment(`${name}: ${calls} calls, every ${every}. response from ${first} on lost`)
  })
}
