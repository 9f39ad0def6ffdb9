/** The service as a process: reads the settings, opens the parts, listens, and closes everything on a signal. */
import { readAdminKey } from './admin-key.ts'
import { buildApp } from './app.ts'
import { type Config, ConfigError, loadConfig } from './config.ts'
import { ServiceError } from './errors.ts'
import { openParts } from './parts.ts'
import { CatalogueError } from './services/analytics-catalogue.ts'
import { createApiKeys } from './services/api-keys.ts'
import { DataDirLockedError } from './store/data-dir-lock.ts'

/** A shutdown that takes longer than this is cut off, in ms; jobs then go on by their leases. */
const SHUTDOWN_LIMIT = 15_000

async function serve(config: Config) {
  const parts = await openParts(config)
  const app = await buildApp(config, parts)
  for (const { level, message, data } of parts.notices) app.log[level](data, message)

  let isClosing = false
  async function shutDown(signal: NodeJS.Signals) {
    if (isClosing) return
    isClosing = true
    app.log.info({ signal }, 'shutting down')
    setTimeout(() => {
      app.log.error({}, 'the shutdown took too long and was cut off')
      process.exit(1)
    }, SHUTDOWN_LIMIT).unref()
    await app.close()
    await parts.close()
    process.exit(0)
  }
  process.on('SIGINT', shutDown)
  process.on('SIGTERM', shutDown)

  const { key, createdFile } = readAdminKey(config)
  await createApiKeys(parts.store).bootstrap(key)
  await app.listen({ host: config.HOST, port: config.PORT })
  if (createdFile !== undefined) {
    process.stdout.write(`\nYour admin API key, shown this once and kept in ${createdFile}:\n\n  ${key}\n\n`)
  }
}

/** What an operator can mend is one message; anything else comes with its stack. */
function fail(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  const isExpected =
    error instanceof ConfigError ||
    error instanceof CatalogueError ||
    error instanceof DataDirLockedError ||
    error instanceof ServiceError ||
    code === 'EADDRINUSE' ||
    code === 'EACCES'
  process.stderr.write(
    isExpected ? `${message}\n` : `${error instanceof Error ? error.stack : String(error)}\n`
  )
  process.exit(1)
}

/** Serves with the settings of an environment until a signal comes. */
export async function run(env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await serve(loadConfig(env))
  } catch (error) {
    fail(error)
  }
}
