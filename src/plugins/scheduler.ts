/** Schedules start jobs for as long as the app is there, and no more once it is about to close. */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Scheduler } from '../services/scheduler.ts'

export default fp(
  async (app: FastifyInstance, { scheduler }: { scheduler: Scheduler }) => {
    app.addHook('onReady', async () => scheduler.start(app.log))
    app.addHook('preClose', () => scheduler.stop())
  },
  { name: 'scheduler' }
)
