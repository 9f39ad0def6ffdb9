/** A process that imports the whole program and sends the paths of the files that it reads on the way. */
import fs, { readdirSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { fileURLToPath } from 'node:url'

const read = new Set<string>()
const { readFileSync } = fs
Object.assign(fs, {
  readFileSync: (...args: Parameters<typeof readFileSync>) => {
    read.add(args[0] instanceof URL ? fileURLToPath(args[0]) : String(args[0]))
    return readFileSync(...args)
  }
})
syncBuiltinESMExports()

const source = new URL('../src/', import.meta.url)
const modules = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && file !== 'server.ts'
)
for (const module of modules) await import(new URL(module, source).href)
const { readBuiltinCatalogue } = await import('../src/services/analytics-catalogue.ts')
readBuiltinCatalogue()
const { readMigrations } = await import('../src/store/migrate.ts')
readMigrations()
process.send?.([...read])
