/** What the services need of a logger; pino's, which Fastify brings, fits. */
export interface Logger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}
