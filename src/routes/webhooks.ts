import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoQuerySchema } from '../schemas/common.ts'
import { JobParamsSchema } from '../schemas/jobs.ts'
import { answer } from '../schemas/responses.ts'
import {
  WebhookDeliveryPageSchema,
  WebhookDeliveryParamsSchema,
  WebhookDeliverySchema
} from '../schemas/webhooks.ts'
import type { Webhooks } from '../services/webhooks.ts'

/** What was sent to the callback URLs of jobs. */
export function webhooksRoutes(webhooks: Webhooks): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/:id/deliveries',
      {
        config: { scope: 'read', errors: ['job_not_found'] },
        schema: {
          operationId: 'listWebhookDeliveries',
          tags: ['jobs'],
          summary: "List the deliveries to a job's callback URL, oldest first",
          params: JobParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(WebhookDeliveryPageSchema, 'All of them on one page') }
        }
      },
      async (request) => webhooks.list(request.params.id)
    )

    app.post(
      '/:id/deliveries/:delivery_id/redeliver',
      {
        config: { scope: 'operate', errors: ['job_not_found', 'delivery_not_found'] },
        schema: {
          operationId: 'redeliverWebhook',
          tags: ['jobs'],
          summary: 'Send a delivery once more',
          description:
            'Only one that is over, delivered or failed. It is sent as a new delivery, to the same URL.',
          params: WebhookDeliveryParamsSchema,
          querystring: NoQuerySchema,
          response: { 200: answer(WebhookDeliverySchema, 'The new delivery') }
        }
      },
      async (request) => webhooks.redeliver(request.params.id, request.params.delivery_id)
    )
  }
}
