import { once } from 'node:events'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import Fastify, { type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { requestSignal } from '../../src/routes/abort.ts'

const settled = Promise.resolve()

/** A server whose one handler takes the signal once `before` has resolved, and answers when `work` has. */
async function serve(
  t: Test,
  work: (signal: AbortSignal) => Promise<void>,
  before: (request: FastifyRequest) => Promise<unknown> = () => settled
): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  app.route({
    method: ['GET', 'POST'],
    url: '/',
    handler: async (request, reply) => {
      await before(request)
      await work(requestSignal(reply))
      return { answered: true }
    }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`
}

t.test('it aborts when the client hangs up', async (t) => {
  const { promise: started, resolve: start } = Promise.withResolvers<AbortSignal>()
  const url = await serve(t, async (signal) => {
    start(signal)
    await once(signal, 'abort')
  })
  const request = get(url).on('error', () => {})
  const signal = await started
  t.equal(signal.aborted, false)
  request.destroy()
  await once(signal, 'abort')
  t.match(signal.reason, { name: 'ServiceError', code: 'cancelled' })
})

t.test('it is aborted from the start when the client has left before', async (t) => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const { promise: started, resolve: start } = Promise.withResolvers<AbortSignal>()
  const url = await serve(
    t,
    async (signal) => start(signal),
    async (request) => {
      arrive()
      await once(request.raw.socket, 'close')
      // One more turn, in which the response learns of it.
      await setImmediate()
    }
  )
  const request = get(url).on('error', () => {})
  await arrived
  request.destroy()
  t.match((await started).reason, { code: 'cancelled' })
})

for (const method of ['GET', 'POST']) {
  t.test(`it does not abort a ${method} that is answered`, async (t) => {
    const signals: AbortSignal[] = []
    const url = await serve(t, async (signal) => {
      signals.push(signal)
      await setImmediate()
    })
    const headers = { 'content-type': 'application/json', connection: 'close' }
    const response = await fetch(url, { method, headers, ...(method === 'POST' && { body: '{}' }) })
    t.same(await response.json(), { answered: true })
    await setImmediate()
    t.same(
      signals.map(({ aborted }) => aborted),
      [false]
    )
  })
}
