/** The program. From its second start on it finds its code compiled, which is a fifth of the time to be ready. */
import { existsSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const dataDir = process.env.DATA_DIR ?? './var'
// The service makes the directory, for its owner alone, once it knows that its settings are right.
if (existsSync(dataDir)) enableCompileCache(join(dataDir, 'compile-cache'))
const { run } = await import('./serve.ts')
await run(process.env)
