/** How a load's time grows: with what it loads, and with what is there already. */
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { figure } from '../figures.ts'
import { generate } from './generate.ts'
import { startService } from './service.ts'

const SONGS = 10_000
const DAY = 200_000

/** Seconds per million events, for so many. */
export async function measureCurve(directory: string, sizes: number[]): Promise<void> {
  for (const events of sizes) {
    const sources = join(directory, 'curve')
    generate(sources, { events, songs: SONGS })
    const service = await startService(sources, join(directory, 'curve-var'))
    const { seconds } = await service.load()
    await service.stop()
    figure(`${events / 1e6} million events, seconds per million`, (seconds * 1e6) / events, 's')
    for (const each of ['curve', 'curve-var']) rmSync(join(directory, each), { recursive: true })
  }
}

/** Seconds for one more day of events on top of so many. */
export async function measureIncrements(directory: string, totals: number[]): Promise<void> {
  const sources = join(directory, 'growing')
  const day = join(directory, 'day')
  generate(sources, { events: DAY, songs: SONGS })
  const service = await startService(sources, join(directory, 'growing-var'))
  const first = (await service.load()).seconds
  figure('one day on an empty warehouse', first, 's')
  let loaded = DAY
  const add = async (events: number) => {
    // Files appear whole: a load may look at any time.
    generate(day, { events, songs: 0, first: loaded })
    rmSync(join(sources, 'log_data'), { recursive: true })
    mkdirSync(sources, { recursive: true })
    renameSync(join(day, 'log_data'), join(sources, 'log_data'))
    loaded += events
    return service.load()
  }
  for (const total of totals) {
    while (loaded < total) await add(Math.min(5_000_000, total - loaded))
    const { seconds } = await add(DAY)
    figure(`one day on ${total / 1e6} million events`, seconds, 's')
    figure(`  of one day on an empty warehouse`, seconds / first, 'x', '<= 1.5')
  }
  await service.stop()
  for (const each of ['growing', 'growing-var', 'day']) rmSync(join(directory, each), { recursive: true })
}
