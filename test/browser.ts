/** A headless Chromium: the one of CHROMIUM_PATH, or on Linux (x64) the one that npm brings. */
import { tmpdir } from 'node:os'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import type { Test } from 'tap'

export const canBrowse =
  process.env.CHROMIUM_PATH !== undefined || (process.platform === 'linux' && process.arch === 'x64')

export interface OpenPage {
  page: Page
  /** What went wrong in the page: errors of its scripts, what its policy has refused, hosts it had no business with. */
  trouble: string[]
}

/** Closed when the test ends. */
export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM_PATH ?? (await unpackChromium()),
    headless: 'shell',
    args: ['--no-sandbox', '--no-zygote', '--disable-gpu', '--font-render-hinting=none']
  })
  t.teardown(() => browser.close())
  return browser
}

/** A page at an address of the service, and everything that goes wrong on it. */
export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const page = await browser.newPage()
  const trouble: string[] = []
  page.on('pageerror', (error) => trouble.push(`error: ${error instanceof Error ? error.message : error}`))
  page.on('console', (message) => {
    // What the service refuses is logged by the browser too, and is looked at by the tests.
    const isAnswer = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isAnswer) trouble.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== new URL(url).origin && !['blob:', 'data:'].includes(protocol)) {
      trouble.push(`request: ${request.url()}`)
    }
  })
  await page.goto(url)
  return { page, trouble }
}

/** Its libraries come with it where the system has none; the package unpacks them for one environment only. */
async function unpackChromium(): Promise<string> {
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x'
  const { default: chromium } = await import('@sparticuz/chromium')
  const path = await chromium.executablePath()
  delete process.env.AWS_EXECUTION_ENV
  if (!path.startsWith(tmpdir())) throw new Error(`Chromium was unpacked to ${path}`)
  return path
}
