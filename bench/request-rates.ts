/** Requests per second of addresses that are compared: in turns, because the machine is not equally fast all the time. */
import autocannon from 'autocannon'
import { percentile } from './figures.ts'

export interface Contender {
  url: string
  headers?: Record<string, string>
  /** The only status that it may answer. */
  status?: number
}

const CONNECTIONS = 16
const TURNS = 5
/** Of one measurement and of the warm-up before the first, in seconds. */
const DURATION = 3

/** The median rate of each contender, in their order. Throws when one answers something else than it should. */
export async function requestRates(contenders: readonly Contender[]): Promise<number[]> {
  const rates = contenders.map((): number[] => [])
  for (const contender of contenders) await measure(contender)
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const [index, contender] of contenders.entries()) rates[index]?.push(await measure(contender))
  }
  return rates.map((ofOne) => percentile(ofOne, 0.5))
}

async function measure({ url, headers = {}, status = 200 }: Contender): Promise<number> {
  const result = await autocannon({ url, headers, connections: CONNECTIONS, duration: DURATION })
  const statuses = Object.keys(result.statusCodeStats ?? {})
  if (result.errors > 0 || statuses.join() !== String(status)) {
    throw new Error(`${url}: ${result.errors} errors, answers of status ${statuses.join(', ')}`)
  }
  return result.requests.average
}
