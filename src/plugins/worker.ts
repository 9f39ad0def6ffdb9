/** The worker lives as long as the app: it starts when the app is ready and hands its jobs back before it closes. */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { startWorker, type Worker, type WorkerOptions } from '../services/job-worker.ts'
import type { Jobs } from '../services/jobs.ts'

type Options = Omit<WorkerOptions, 'logger'> & { jobs: Jobs }

export default fp(
  async (app: FastifyInstance, { jobs, ...options }: Options) => {
    let worker: Worker | undefined

    app.addHook('onReady', async () => {
      worker = await startWorker({ ...options, logger: app.log })
    })

    // Before connections are closed: whoever waits for a job is told how far it is.
    app.addHook('preClose', async () => {
      await worker?.stop()
      await jobs.close()
    })
  },
  { name: 'worker' }
)
