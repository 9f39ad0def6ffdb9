/**
 * Cuts an operation off after calls to AWS (see `every`) and at every step, and runs it again as a new process would. It must
 * end where an undisturbed one ends, with nothing created twice, and a teardown must leave nothing.
 */
import type { Test } from 'tap'
import type { AwsClients } from '../../src/cloud/aws-clients.ts'
import { createRun, type TestRun } from './fixture.ts'
import { doneTwice, every, first, outcomeOf, prepare, type Scenario } from './scenarios.ts'

/** In ms: every cut is a run of its own. */
const TIMEOUT = 110_000

class Killed extends Error {
  override name = 'Killed'
}

type Middleware = (next: (args: unknown) => Promise<unknown>) => (args: unknown) => Promise<unknown>

/** Ends the run when call number `at` was carried out, and nobody reads its response. */
function killAt(at: number) {
  const state = { calls: 0 }
  const attach = (clients: AwsClients, run: TestRun) => {
    const middleware: Middleware = (next) => async (args) => {
      const isTarget = state.calls === at
      state.calls += 1
      if (!isTarget) return next(args)
      // Whatever it was, nobody learns of it.
      await next(args).catch(() => {})
      run.abort(new Killed())
      throw new Killed()
    }
    for (const client of [clients.redshift, clients.iam, clients.ec2, clients.sts]) {
      const { middlewareStack } = client as unknown as {
        middlewareStack: { add(added: Middleware, options: { step: 'initialize'; name: string }): void }
      }
      middlewareStack.add(middleware, { step: 'initialize', name: 'kill' })
    }
  }
  return { state, attach }
}

function stopAtStep(number: number): TestRun {
  const run = createRun()
  const { step } = run
  run.step = async (name) => {
    if (run.steps.length === number) run.abort(new Killed())
    await step(name)
  }
  return run
}

/** The tests of one scenario. */
export function testInterruption(t: Test, scenario: Scenario): void {
  const { name, operation, finalSnapshot = false } = scenario

  t.test(`${name}: cut off after calls`, { timeout: TIMEOUT }, async (t) => {
    const undisturbed = await prepare(t, scenario)
    await undisturbed.run(operation, { finalSnapshot })
    const expected = outcomeOf(undisturbed)
    let cuts = 0
    for (let at = first; ; at += every) {
      const deployment = await prepare(t, scenario)
      const from = deployment.emulator.calls.length
      const { state, attach } = killAt(at)
      const error = await failure(deployment.run(operation, { finalSnapshot, prepare: attach }))
      if (state.calls <= at) break
      t.ok(error instanceof Killed, `call ${at}: the run ends as killed, not with ${String(error)}`)

      const { result } = await deployment.run(operation, { finalSnapshot })
      t.same(outcomeOf(deployment), expected, 'run again, it ends the same')
      t.same(doneTwice(deployment, from), [], 'and nothing is done twice')
      if (finalSnapshot) t.same(result?.final_snapshot, expected.snapshots[0], 'the snapshot is named')
      if (operation !== 'teardown') await checkTeardown(t, deployment)
      await deployment.emulator.close()
      cuts += 1
    }
    t.ok(cuts > 0)
    t.comment(`${name}: cut off after ${cuts} calls (every ${every}. from ${first})`)
  })

  t.test(`${name}: cut off at every step`, { timeout: TIMEOUT }, async (t) => {
    const undisturbed = await prepare(t, scenario)
    const { steps } = await undisturbed.run(operation, { finalSnapshot })
    const expected = outcomeOf(undisturbed)
    for (const [number, step] of steps.entries()) {
      const deployment = await prepare(t, scenario)
      const error = await failure(deployment.run(operation, { finalSnapshot, run: stopAtStep(number) }))
      t.ok(error instanceof Killed, `${step}: the run ends as killed`)
      await deployment.run(operation, { finalSnapshot })
      t.same(outcomeOf(deployment), expected, 'run again, it ends the same')
      await deployment.emulator.close()
    }
    t.comment(`${name}: cut off at each of ${steps.length} steps`)
  })
}

/** Cuts an operation off after every call, and tears down what is there then. */
export function testAbandonment(t: Test, scenario: Scenario): void {
  const { name, operation } = scenario
  t.test(`${name}: cut off after calls, and torn down`, { timeout: TIMEOUT }, async (t) => {
    for (let at = first; ; at += every) {
      const deployment = await prepare(t, scenario)
      const { state, attach } = killAt(at)
      await failure(deployment.run(operation, { prepare: attach }))
      if (state.calls <= at) break
      // A process is not back at once; until then EC2 shows the group that it has just created.
      deployment.clock.pass(5_000)
      await deployment.run('teardown')
      t.same(deployment.emulator.costing(), [], `call ${at}: nothing is left`)
      await deployment.emulator.close()
    }
  })
}

async function checkTeardown(t: Test, deployment: Awaited<ReturnType<typeof prepare>>) {
  await deployment.run('teardown')
  const left = deployment.emulator.costing().filter(({ kind }) => kind !== 'snapshot')
  t.same(left, [], 'and a teardown leaves nothing')
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error
  )
