/** Webhooks are sent for as long as the app is there, and no more once it is about to close. */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Webhooks } from '../services/webhooks.ts'

export default fp(
  async (app: FastifyInstance, { webhooks }: { webhooks: Webhooks }) => {
    app.addHook('onReady', () => webhooks.start(app.log))
    app.addHook('preClose', () => webhooks.stop())
  },
  { name: 'webhooks' }
)
