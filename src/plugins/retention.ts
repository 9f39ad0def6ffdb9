/** Old jobs are deleted for as long as the app is there. */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Retention } from '../services/retention.ts'

export default fp(
  async (app: FastifyInstance, { retention }: { retention: Retention }) => {
    app.addHook('onReady', async () => retention.start(app.log))
    app.addHook('preClose', () => retention.stop())
  },
  { name: 'retention' }
)
