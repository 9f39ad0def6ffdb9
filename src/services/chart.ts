/**
 * Charts of answers, as SVG, drawn by echarts without a browser. What is drawn stands in the header of the query: the columns of
 * the axis, those of the values, the kind of chart.
 */
import type { EChartsOption } from 'echarts'
import type { AnalyticsResults, Chart, Values } from '../schemas/analytics.ts'
import type { Value } from '../warehouse/warehouse.ts'

export const chartThemes = ['light', 'dark'] as const
export type ChartTheme = (typeof chartThemes)[number]

export interface ChartLook {
  theme: ChartTheme
  /** In pixels. */
  width: number
}

/** Categories that a chart shows; the answer has the others, and the chart says how many there are. */
const MOST_BARS = 20
const MOST_POINTS = 400
const MOST_LINES = 12
/** Height of a bar with its room, and of everything that is not bars, in pixels. */
const BAR_HEIGHT = 26
const FRAME_HEIGHT = 170
const CHART_HEIGHT = 400
const LONGEST_LABEL = 28

/** Okabe and Ito's palette, which people who see colours differently can tell apart. */
const palette = {
  light: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'],
  dark: ['#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#f0e442', '#d55e00', '#ffffff']
}
const surface = {
  light: { background: '#ffffff', text: '#1f2328', muted: '#59636e', line: '#d1d9e0' },
  dark: { background: '#0d1117', text: '#f0f6fc', muted: '#9198a1', line: '#3d444d' }
}

/** An SVG document of its own: no script, no reference to anything outside. */
export async function drawChart(
  results: AnalyticsResults,
  { title, chart }: { title: string; chart: Chart },
  look: ChartLook
): Promise<string> {
  // Loaded when the first chart is asked for: it takes a fifth of a second and 20 MB.
  const echarts = await import('echarts')
  const drawn = chart.series === undefined ? barsOrLine(results, chart) : lines(results, chart)
  const height =
    chart.type === 'bars'
      ? FRAME_HEIGHT + BAR_HEIGHT * drawn.categories.length * drawn.lines.length ** 0.5
      : CHART_HEIGHT
  const instance = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: look.width,
    height: Math.round(height)
  })
  try {
    instance.setOption(optionOf(drawn, { title, chart }, look.theme))
    return instance.renderToSVGString()
  } finally {
    instance.dispose()
  }
}

/** What is drawn: a value for each line and category; null where there is none. */
interface Drawn {
  categories: string[]
  lines: { name: string; values: (number | null)[] }[]
  unit: string
  /** Said below the title when not everything is shown. */
  left: string
}

function barsOrLine({ columns, rows }: AnalyticsResults, chart: Chart): Drawn {
  const most = chart.type === 'bars' ? MOST_BARS : MOST_POINTS
  const shown = rows.slice(0, most)
  return {
    categories: shown.map((row) => labelOf(row, chart.x)),
    lines: chart.y.map((name) => ({ name: readable(name), values: shown.map((row) => numberOf(row[name])) })),
    unit: unitOf(columns, chart),
    left: rows.length > most ? `${most} of ${rows.length} shown` : ''
  }
}

/** One line for each value of the column `series`. */
function lines({ columns, rows }: AnalyticsResults, chart: Chart): Drawn {
  const [y = ''] = chart.y
  const categories = [...new Set(rows.map((row) => labelOf(row, chart.x)))].sort(naturally)
  const byLine = Map.groupBy(rows, (row) => textOf(row[chart.series ?? ''] ?? null))
  const shown = [...byLine].slice(0, MOST_LINES)
  return {
    categories,
    lines: shown.map(([name, ofLine]) => {
      const values = new Map(ofLine.map((row) => [labelOf(row, chart.x), numberOf(row[y])]))
      return { name, values: categories.map((category) => values.get(category) ?? null) }
    }),
    unit: unitOf(columns, chart),
    left: byLine.size > MOST_LINES ? `${MOST_LINES} of ${byLine.size} lines shown` : ''
  }
}

const naturally = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })
const readable = (name: string) => name.replaceAll('_', ' ')
const textOf = (value: Value) => (value === null ? 'none' : String(value))
const numberOf = (value: Value | undefined) => (typeof value === 'number' ? value : null)
const labelOf = (row: Values, names: readonly string[]) =>
  names.map((name) => textOf(row[name] ?? null)).join(' · ')

function unitOf(columns: AnalyticsResults['columns'], { y }: Chart): string {
  const units = new Set(columns.filter(({ name }) => y.includes(name)).map(({ unit }) => unit ?? ''))
  // Of several kinds the legend tells which is which.
  const [unit = '', another] = units
  if (another !== undefined) return ''
  return unit === 'of 1' ? 'share' : unit
}

function optionOf(
  drawn: Drawn,
  { title, chart }: { title: string; chart: Chart },
  theme: ChartTheme
): EChartsOption {
  const { background, text, muted, line } = surface[theme]
  const isLying = chart.type === 'bars'
  const isEmpty = drawn.categories.length === 0
  const axisLabel = { color: text, fontSize: 12 }
  const categories = {
    type: 'category' as const,
    data: drawn.categories,
    name: readable(chart.x.join(', ')),
    nameLocation: isLying ? ('start' as const) : ('middle' as const),
    nameGap: isLying ? 12 : 32,
    nameTextStyle: { color: muted },
    axisLine: { lineStyle: { color: line } },
    axisLabel: { ...axisLabel, width: 240, overflow: 'truncate' as const, formatter: shorten },
    ...(isLying && { inverse: true })
  }
  const values = {
    type: 'value' as const,
    name: drawn.unit,
    nameLocation: isLying ? ('middle' as const) : ('end' as const),
    nameGap: isLying ? 28 : 12,
    nameTextStyle: { color: muted },
    axisLabel,
    splitLine: { lineStyle: { color: line } }
  }
  return {
    animation: false,
    backgroundColor: background,
    color: palette[theme],
    aria: { enabled: true, label: { description: `${title}. ${isEmpty ? 'No rows.' : ''}` } },
    title: {
      text: title,
      subtext: isEmpty ? 'No rows' : drawn.left,
      left: 12,
      top: 8,
      textStyle: { color: text, fontSize: 16 },
      subtextStyle: { color: muted, fontSize: 12 }
    },
    legend: { show: drawn.lines.length > 1, top: 52, left: 8, itemGap: 28, textStyle: { color: text } },
    grid: { left: 36, right: 28, top: drawn.lines.length > 1 ? 118 : 84, bottom: 44, containLabel: true },
    xAxis: isLying ? values : categories,
    yAxis: isLying ? categories : values,
    series: drawn.lines.map((each) => ({
      name: each.name,
      data: each.values,
      ...(chart.type === 'line'
        ? { type: 'line' as const, symbolSize: 5, connectNulls: false }
        : { type: 'bar' as const, barMaxWidth: 36 })
    }))
  }
}

const shorten = (label: string) =>
  label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label
