/** Swagger UI at /docs as people use it, in a real browser: authorizes, starts a job, reads its result. */
/// <reference lib="dom" />
import type { Page } from 'puppeteer-core'
import t from 'tap'
import { canBrowse, openBrowser, openPage } from './browser.ts'
import { writeFiles } from './files.ts'
import { build } from './helper.ts'
import { event, lines, song } from './records.ts'

const timeout = 15_000

async function click(page: Page, selector: string) {
  const element = await page.waitForSelector(selector, { timeout })
  await element?.evaluate((node) => (node as HTMLElement).click())
}

/** Opens an operation, tries it out, and returns what came back. */
async function execute(page: Page, operation: string, path: Record<string, string> = {}) {
  const block = `[id="operations-${operation}"]`
  await click(page, `${block} .opblock-summary-control`)
  await click(page, `${block} .try-out__btn:not(.cancel)`)
  for (const [name, value] of Object.entries(path)) {
    const input = await page.waitForSelector(`${block} tr[data-param-name="${name}"] input`, { timeout })
    await input?.click({ count: 3 })
    await input?.type(value)
    // It is taken over when the field is left.
    await page.keyboard.press('Tab')
  }
  await click(page, `${block} .execute`)
  const response = await page.waitForSelector(`${block} .live-responses-table .response`, { timeout })
  const status = await response?.$eval('.response-col_status', (node) =>
    parseInt(String(node.textContent), 10)
  )
  const body = await response?.$eval('.microlight, pre.microlight code, .highlight-code code', (node) =>
    String(node.textContent)
  )
  return { status, body: JSON.parse(body ?? '') }
}

t.test('Swagger UI', { skip: !canBrowse && 'needs CHROMIUM_PATH here', timeout: 60_000 }, async (t) => {
  const service = await build(t)
  writeFiles(service.config.SONG_DATA, { 'songs.json': lines(song()) })
  writeFiles(service.config.LOG_DATA, { 'events.json': lines(event()) })
  await service.prepareWarehouse()
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { page, trouble } = await openPage(await openBrowser(t), `${url}/docs`)

  const before = await execute(page, 'system-getWhoami')
  t.match(before, { status: 401, body: { code: 'missing_credentials' } }, 'without a key nothing is told')

  await click(page, '.btn.authorize')
  const field = await page.waitForSelector('.auth-container input', { timeout })
  await field?.type(service.keys.operate)
  await click(page, '.auth-btn-wrapper .authorize')
  await click(page, '.auth-btn-wrapper .btn-done')

  const started = await execute(page, 'jobs-startJob')
  t.match(
    started,
    { status: 200, body: { type: 'etl', id: /^job_/ } },
    'the examples of the document start a load, and wait for it'
  )
  const job = await execute(page, 'jobs-getJob', { id: started.body.id })
  t.match(job, { status: 200, body: { id: started.body.id, status: 'succeeded', result: { load_id: '1' } } })
  t.strictSame(trouble, [], 'and no script, policy or foreign host gets in the way')
})
