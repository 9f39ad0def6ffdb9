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
  OIDC_ISSUER: Type.Optional(
    text('a URL that starts with https://, or with http:// on this machine', {
      pattern: '^(https://[^\\s?#]+|http://(127\\.0\\.0\\.1|localhost|\\[::1\\])(:\\d+)?(/[^\\s?#]*)?)$',
      description:
        'OpenID Connect provider whose tokens are taken beside API keys, exactly as tokens name it. Default: none.'
    })
  ),
  OIDC_AUDIENCE: Type.Optional(
    text('1 to 500 characters', {
      pattern: '^[^\\x00-\\x1f\\x7f]{1,500}$',
      description: 'For whom the tokens must be made (`aud`). Needed with `OIDC_ISSUER`.'
    })
  ),
  OIDC_SCOPE_CLAIM: text('1 to 200 characters without spaces', {
    pattern: '^[^\\s\\x00-\\x1f\\x7f]{1,200}$',
    default: 'scope',
    description:
      'The claim that says what a token may do: words or a list; dots lead into objects (`realm_access.roles`).'
  }),
  OIDC_SCOPES: text('value=scope pairs, separated by commas; a scope is read, operate or admin', {
    pattern: '^[^=,\\s]+=(read|operate|admin)(, *[^=,\\s]+=(read|operate|admin))*$',
    default: 'read=read,operate=operate,admin=admin',
    description: 'Which scope each value of the claim gives; the greatest counts.'
  }),
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
