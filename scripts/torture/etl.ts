/**
 * `npm run torture:etl`: the service is killed (SIGKILL) at every boundary between the steps of a load and KILLS times at
 * random moments of loads, on DuckDB and on an emulated Redshift at the same time. Each job must succeed in the end, and the
 * warehouse must be what one undisturbed load makes of the same objects.
 *
 * KILLS (default 200, half of them on each engine) and SEED (default: drawn, and printed) may be set.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { etlSteps } from '../../src/schemas/etl.ts'
import { createRandom, type Random } from '../../src/sources/sample/random.ts'
import { event, lines, song } from '../../test/records.ts'
import { auditEtl } from './etl-audit.ts'
import { engines, startTarget, type Target } from './etl-target.ts'

const kills = Number(process.env.KILLS ?? 200)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
/** Rounds for each step: one kill may come too late. */
const ROUNDS_PER_STEP = 3
const steps = Object.keys(etlSteps)

const say = (line: string) => process.stdout.write(`${line}\n`)
const directory = mkdtempSync(join(tmpdir(), 'sparkify-torture-'))
say(`seed\t${seed}\nlogs\t${directory}`)

/** What happened, by the name of it. */
type Figures = Record<string, number>

async function torture(target: Target): Promise<{ findings: string[]; figures: Figures }> {
  const random = createRandom(seed + engines.indexOf(target.name))
  const figures: Figures = {}
  const count = (what: string, by = 1) => {
    figures[what] = (figures[what] ?? 0) + by
  }
  const findings: string[] = []
  const finish = async (id: string) => {
    for (;;) {
      const { body } = await target.ask('GET', `/v1/jobs/${id}`, { wait: 30 })
      if (body.finished_at !== null) return body
    }
  }
  await finish((await target.ask('PUT', '/v1/cluster', { key: 'cluster' })).body.id)
  await finish((await target.ask('POST', '/v1/tables', { key: 'tables', body: {} })).body.id)

  let round = 0
  let objects = 0
  /** A load of new objects that `disturb` may kill; it must succeed all the same. */
  async function load(disturb: (id: string) => Promise<void>): Promise<number> {
    round += 1
    objects += putObjects(target, random, round)
    const body = { type: 'etl', max_rejects: '50%' }
    const { body: job } = await target.ask('POST', '/v1/jobs', { key: `round-${round}`, body })
    const began = performance.now()
    await disturb(job.id)
    const ended = await finish(job.id)
    if (ended.status !== 'succeeded') findings.push(`${job.id} is ${ended.status}: ${ended.error?.detail}`)
    count(ended.attempt > 1 ? 'loads killed' : 'loads not killed')
    count('attempts', ended.attempt)
    return performance.now() - began
  }

  const undisturbed = [await load(async () => {}), await load(async () => {}), await load(async () => {})]
  const usual = Math.max(...undisturbed)
  for (const step of [...steps, 'succeeded']) {
    for (let tries = 0; tries < ROUNDS_PER_STEP; tries += 1) {
      await load(async (id) => {
        if (await killAt(target, id, step)) count(`kills at the beginning of ${step}`)
      })
    }
  }
  for (let left = kills / engines.length; left > 0; ) {
    await load(async () => {
      // A job may die three times; the third would be its last.
      for (const deaths = random.chance(0.2) ? 2 : 1, first = left; first - left < deaths && left > 0; ) {
        await sleep(random.int(Math.ceil(usual)))
        target.replica.signal('SIGKILL')
        count('kills at random')
        left -= 1
        if (left % 25 === 0) say(`${target.name}: ${left} kills to come`)
        await sleep(200)
        await target.ask('GET', '/readyz')
      }
    })
  }
  await target.stopService()
  const audit = await auditEtl(target, { objects, jobs: round })
  return { findings: [...findings, ...audit.findings], figures: { ...figures, ...audit.figures } }
}

/** Kills the service as soon as the job's story tells of the step; false when the job had ended before. */
async function killAt(target: Target, id: string, step: string): Promise<boolean> {
  const stop = new AbortController()
  let story = ''
  try {
    for await (const text of target.follow(id, stop.signal)) {
      story += text
      const isThere = step === 'succeeded' ? /"type":"succeeded"/ : new RegExp(`"message":"${step} \\(`)
      if (!isThere.test(story)) continue
      target.replica.signal('SIGKILL')
      return true
    }
  } catch {
    // The connection went with the service.
  } finally {
    stop.abort()
  }
  return false
}

/** A day of events, some of them repeated from the day before, some broken; and songs, some for plays of days before. */
function putObjects(target: Target, random: Random, round: number): number {
  const make = (day: number, item: number) =>
    event({
      ...{ sessionId: day, itemInSession: item, userId: String(1 + ((day * 7 + item) % 200)) },
      ...{ ts: 1541106000796 + day * 3_600_000 + item * 500, level: (day + item) % 3 ? 'free' : 'paid' },
      ...{ song: `Title ${(day * 3 + item) % 300}`, artist: `Artist ${item % 7}` },
      page: item % 9 ? 'NextSong' : 'Home'
    })
  const events = Array.from({ length: 300 + random.int(1500) }, (_, item) => make(round, item))
  const repeated = Array.from({ length: random.int(20) }, (_, item) => make(round - 1, item))
  const broken = random.chance(0.3) ? '\n{"cut' : ''
  target.put(`log_data/${String(round).padStart(5, '0')}.json`, lines(...events, ...repeated) + broken)
  const songs = 1 + random.int(4)
  for (let index = 0; index < songs; index += 1) {
    const number = round * 4 + index
    const body = song({
      ...{ song_id: `S${number}`, title: `Title ${number % 300}`, artist_name: `Artist ${number % 7}` },
      ...{
        artist_id: `A${number % 40}`,
        year: number % 2 ? 0 : 1950 + (number % 60),
        duration: 150 + (number % 90)
      }
    })
    target.put(`song_data/${number}.json`, lines(body))
  }
  return 1 + songs
}

const began = performance.now()
const targets = await Promise.all(engines.map((name) => startTarget(name, directory)))
const results = await Promise.all(targets.map(async (target) => ({ target, ...(await torture(target)) })))
await Promise.all(targets.map((target) => target.close()))
let found = 0
for (const { target, findings, figures } of results) {
  for (const [name, value] of Object.entries(figures)) say(`${target.name}\t${name}\t${value}`)
  for (const finding of findings) say(`FINDING\t${target.name}\t${finding}`)
  found += findings.length
}
say(`seconds\t${Math.round((performance.now() - began) / 1000)}\nfindings\t${found}`)
if (found === 0) rmSync(directory, { recursive: true, force: true })
process.exit(found === 0 ? 0 : 1)
