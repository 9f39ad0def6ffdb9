/** The dashboard as people use it, in a real browser: signs in, makes the warehouse, loads, and sees the answers change. */
/// <reference lib="dom" />
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import t from 'tap'
import { canBrowse, openBrowser, openPage } from './browser.ts'
import { writeFiles } from './files.ts'
import { build } from './helper.ts'
import { event, lines, song } from './records.ts'

const ATTACK = '<img src=x onerror="document.title=1">'

/** Presses the button that says `text`, with the keyboard. */
async function press(page: Page, text: string) {
  const button = await page.waitForSelector(
    `::-p-xpath(//button[normalize-space()="${text}" and not(@disabled)])`
  )
  await button?.focus()
  await page.keyboard.press('Enter')
}

/** Waits until an element of the page holds a text. */
async function sees(page: Page, selector: string, text: string) {
  await page.waitForFunction(
    (within, wanted) => document.querySelector(within)?.textContent?.includes(wanted),
    { timeout: 15_000 },
    selector,
    text
  )
}

/** The picture that is shown, once it is there. */
async function chart(page: Page, isOther: string | null = null): Promise<string> {
  const found = await page.waitForFunction(
    (other) => {
      const image = document.querySelector<HTMLImageElement>('img.chart')
      return image?.complete && image.naturalWidth > 0 && image.src !== other && image.src
    },
    { timeout: 15_000 },
    isOther
  )
  return String(await found.jsonValue())
}

/** The chart's pixels. */
const pixels = (page: Page) =>
  page.$eval('img.chart', (image) => {
    const canvas = document.createElement('canvas')
    const { naturalWidth, naturalHeight } = image as HTMLImageElement
    Object.assign(canvas, { width: naturalWidth, height: naturalHeight })
    canvas.getContext('2d')?.drawImage(image as HTMLImageElement, 0, 0)
    return canvas.toDataURL()
  })

t.test('the dashboard', { skip: !canBrowse && 'needs CHROMIUM_PATH here' }, async (t) => {
  const service = await build(t)
  const url = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { SONG_DATA, LOG_DATA } = service.config
  const browser = await openBrowser(t)
  const { page, trouble } = await openPage(browser, url)

  await t.test('asks for a key, and refuses a wrong one', async (t) => {
    await page.waitForSelector('#sign-in:not([hidden])')
    t.equal(await page.evaluate(() => document.activeElement?.id), 'key', 'which can be typed at once')
    await page.keyboard.type('spk_wrong')
    await page.keyboard.press('Enter')
    await sees(page, '#sign-in-error', 'unknown, expired or revoked')
  })

  await t.test('leads from nothing to the first answer', async (t) => {
    writeFiles(SONG_DATA, { 'a.json': lines(song()) })
    writeFiles(LOG_DATA, { '1.json': lines(event()) })
    await page.keyboard.type(service.keys.admin)
    await page.keyboard.press('Enter')
    await sees(page, '#identity', 'test admin (admin)')
    await sees(page, '#cluster-state', 'absent')
    await press(page, 'Create the cluster')
    await press(page, 'Create the tables')
    await press(page, 'Load new data')
    await sees(page, '#loads-table tbody', 'incremental')
    await sees(page, '#jobs-table tbody', 'etl')
    await page.waitForFunction(
      () => !/running|queued/.test(document.querySelector('#jobs-table')?.textContent ?? '')
    )
    t.notMatch(await page.$eval('#jobs-table', (table) => table.textContent), /failed/)
    await sees(page, '#answer tbody', 'Alpha')
    await chart(page)
  })

  await t.test('a load is seen to end, and changes the chart', async (t) => {
    const first = await chart(page)
    await page.select('#query', 'users-by-level')
    await sees(page, '#answer h3', 'Users by level')
    const before = await chart(page, first)
    const drawn = await pixels(page)
    writeFiles(LOG_DATA, { '2.json': lines(event({ userId: '2', level: 'paid', sessionId: 2 })) })
    await press(page, 'Load new data')
    await chart(page, before)
    await sees(page, '#answer tbody', 'paid')
    t.not(await pixels(page), drawn)
    await sees(page, '#loads-table tbody tr', '2')
  })

  await t.test('parameters are asked for by their type, and stay in the address', async (t) => {
    await page.select('#query', 'top-songs')
    await page.waitForSelector('#parameter-limit[type=number]')
    await page.type('#parameter-location', 'Nowhere')
    await press(page, 'Ask')
    await sees(page, '#answer .muted', '0 rows')
    t.match(page.url(), /#top-songs\?.*location=Nowhere/)
    t.equal(await page.$eval('#answer', (answer) => answer.getAttribute('aria-busy')), 'false')
    await page.reload()
    await sees(page, '#answer .muted', '0 rows')
  })

  await t.test('what the data holds is shown as text', async (t) => {
    writeFiles(LOG_DATA, { '3.json': ATTACK })
    await press(page, 'Load new data')
    await sees(page, '#rejects-table tbody', ATTACK)
    await sees(page, '#jobs-table tbody', 'failed')
    t.equal(await page.title(), 'Sparkify warehouse')
  })

  await t.test('the answer can be saved', async (t) => {
    await page.select('#query', 'users-by-level')
    await sees(page, '#answer h3', 'Users by level')
    const asked = page.waitForResponse((response) => response.url().includes('format=csv'))
    await press(page, 'Download CSV')
    t.match((await asked).headers(), {
      'content-type': /^text\/csv/,
      'content-disposition': 'attachment; filename="users-by-level.csv"'
    })
  })

  await t.test('fits a phone, in the dark', async (t) => {
    await page.setViewport({ width: 360, height: 740, isMobile: true })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
    await page.reload()
    await chart(page)
    t.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360)
    await picture(page, 'phone')
    await page.setViewport({ width: 1200, height: 1400 })
    await page.emulateMediaFeatures([])
    await page.reload()
    await chart(page)
    await picture(page, 'desktop')
  })

  await t.test('a key that may only read is offered nothing else', async (t) => {
    await press(page, 'Sign out')
    await page.waitForSelector('#sign-in:not([hidden])')
    await page.keyboard.type(service.keys.read)
    await page.keyboard.press('Enter')
    await sees(page, '#identity', '(read)')
    await sees(page, '#cluster-state', 'available')
    t.equal(await page.$eval('#actions', (actions) => actions.textContent), '')
  })

  t.same(trouble, [], 'nothing went wrong in the page, and nobody else was asked')
})

t.test('the page forbids what it does not need', async (t) => {
  const { app } = await build(t)
  for (const path of ['/', '/dashboard/main.js']) {
    const { statusCode, headers } = await app.inject(path)
    t.equal(statusCode, 200, path)
    t.match(headers['content-security-policy'], /default-src 'none'.*script-src 'self'/)
    t.notMatch(headers['content-security-policy'], /unsafe/)
    t.equal(headers['x-content-type-options'], 'nosniff')
  }
  for (const path of ['/dashboard/tsconfig.json', '/dashboard/..%2fapp.ts', '/dashboard/nothing.js']) {
    const { statusCode } = await app.inject(path)
    t.equal(statusCode, 404, path)
  }
})

/** For whoever wants to look: SCREENSHOTS names a folder. */
async function picture(page: Page, name: string) {
  const folder = process.env.SCREENSHOTS
  if (folder !== undefined)
    await page.screenshot({ path: join(folder, `${name}.png`) as `${string}.png`, fullPage: true })
}
