/** How benchmarks measure and what they print: one line per figure, its fields separated by tabs. */

/** Prints `name value unit target`; a target is what the figure should reach, where there is one. */
export function figure(name: string, value: number, unit: string, target = ''): void {
  const shown = value >= 100 ? Math.round(value) : Number(value.toPrecision(3))
  process.stdout.write(`${[name, shown, unit, target].join('\t')}\n`)
}

/** The value that the given share of all values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Runs `work` so many times, a few at once; resolves with the runs per second. */
export async function rate(runs: number, atOnce: number, work: () => Promise<unknown>): Promise<number> {
  let left = runs
  const began = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left > 0) {
        left -= 1
        await work()
      }
    })
  )
  return (runs * 1000) / (performance.now() - began)
}
