/** The cost guard looks for as long as the app is there. */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { CostGuard } from '../services/cost-guard.ts'

export default fp(
  async (app: FastifyInstance, { costGuard }: { costGuard: CostGuard }) => {
    app.addHook('onReady', async () => costGuard.start(app.log))
    app.addHook('preClose', () => costGuard.stop())
  },
  { name: 'cost-guard' }
)
