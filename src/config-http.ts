/** Settings of the HTTP side: who may reach it, how often, and what it tells of itself. */
import { Type } from 'typebox'
import { choice, text } from './config-fields.ts'

export const http = {
  ALLOWED_HOSTS: Type.Optional(
    text('host names, separated by commas', {
      pattern: '^[A-Za-z0-9.:, _\\[\\]-]+$',
      description:
        'The only names by which the service may be called. Default: this machine for a `HOST` of this machine, else any.'
    })
  ),
  RATE_LIMIT_PER_MINUTE: Type.Integer({
    default: 60_000,
    minimum: 0,
    maximum: 10_000_000,
    accepts: 'a whole number from 0 to 10000000',
    description: 'Requests that an API key may make in a minute, in each process. 0: any number.'
  }),
  METRICS: choice(['key', 'open', 'off'], {
    default: 'key',
    description: 'Who may read `/metrics`: whoever has an API key, everybody, or nobody.'
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    text('a URL that starts with http:// or https://', {
      pattern: '^https?://[^\\s]+$',
      description: 'Where traces go, by OTLP over HTTP. Default: nowhere.'
    })
  ),
  OTEL_SERVICE_NAME: text('1 to 100 characters', {
    pattern: '^[^\\x00-\\x1f\\x7f]{1,100}$',
    default: 'sparkify-warehouse',
    description: 'The name of the service in its traces.'
  })
}
