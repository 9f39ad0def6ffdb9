/** Sends traces where the configuration says, by OTLP over HTTP. Loaded only then: the others do not pay for the SDK. */
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { version } from './version.ts'

/** The most that the last spans may hold up the end of the process, in ms. */
const FLUSH_LIMIT = 3000

/**
 * From now on spans are recorded and sent to `<endpoint>/v1/traces`. The returned function sends the last ones and ends it. A
 * collector that is away loses spans, and holds up nothing.
 */
export function openTracing(endpoint: string, serviceName: string): () => Promise<void> {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) })]
  })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  return async () => {
    const limit = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_LIMIT).unref())
    await Promise.race([provider.shutdown().catch(() => {}), limit])
    trace.disable()
    context.disable()
    propagation.disable()
  }
}
