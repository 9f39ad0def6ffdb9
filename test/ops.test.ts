/** What is in ops/ asks for metrics that there are. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { writeFiles } from './files.ts'
import { build } from './helper.ts'
import { event, lines, song } from './records.ts'

const read = (name: string) => readFileSync(new URL(`../ops/${name}`, import.meta.url), 'utf8')

const service = await build(t)
await service.prepareWarehouse()
writeFiles(service.config.SONG_DATA, { 'a.json': lines(song()) })
writeFiles(service.config.LOG_DATA, { 'a.json': lines(event()) })
await service.request('POST', '/v1/jobs', { headers: { prefer: 'wait=60' }, body: { type: 'etl' } })
await service.request('GET', '/v1/analytics/users-by-level/results')
const { body } = await service.request('GET', '/metrics')
const names = new Set([...body.matchAll(/^# TYPE (\w+)/gm)].map(([, name]: string[]) => name))

/** Metrics that Prometheus makes by itself. */
const itsOwn = ['up']

function unknownIn(expression: string): string[] {
  const bare = expression.replace(/\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)/g, ' ')
  const words = bare.match(/[a-z_]\w*_\w+|\bup\b/g) ?? []
  const functions = ['histogram_quantile']
  return words
    .filter((word) => ![...functions, ...itsOwn].includes(word))
    .filter((word) => !names.has(word) && !names.has(word.replace(/_(bucket|count|sum)$/, '')))
}

t.test('alert rules', async (t) => {
  const { groups } = parse(read('alerts.yaml'))
  const rules = groups.flatMap((group: { rules: object[] }) => group.rules)
  t.ok(rules.length >= 8)
  for (const { alert, expr, annotations, labels } of rules) {
    t.same(unknownIn(expr), [], alert)
    t.ok(annotations.summary && annotations.action && labels.severity, `${alert} says what to do`)
  }
})

t.test('the Grafana dashboard', async (t) => {
  const { panels } = JSON.parse(read('grafana-dashboard.json'))
  t.ok(panels.length >= 10)
  for (const { title, targets } of panels) {
    for (const { expr } of targets) t.same(unknownIn(expr), [], title)
  }
})
