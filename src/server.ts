/** The program. From its second start on it finds its code compiled, which is a fifth of the time to be ready. */
import { existsSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

// V8 compiles what is hot of the embedded store anew, on the processors that the start needs: a tenth of the time to be
// ready. A hundred times the default (13 million) leaves that to a store that works hard.
setFlagsFromString('--wasm-tiering-budget=1000000000')
const dataDir = process.env.DATA_DIR ?? './var'
// The service makes the directory, for its owner alone, once it knows that its settings are right.
if (existsSync(dataDir)) enableCompileCache(join(dataDir, 'compile-cache'))
const { run } = await import('./serve.ts')
await run(process.env)
