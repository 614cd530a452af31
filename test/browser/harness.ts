// A browser for tests: pages of one origin in one profile, going offline, dying by kill -9 and starting again on what the
// disk kept. What pages complain about is collected, and fails the test in the end.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import { mustChromium } from './chromium.ts'
import { type PageServerOptions, startPageServer } from './page-server.ts'

/** The functions that an entry offers to its test: `expose(api)` in the entry, `page.call('name', …)` in the test. */
// oxlint-disable-next-line typescript/no-explicit-any -- reason: whatever a function takes
export type PageApi = Record<string, (...args: any[]) => unknown>

export interface TestPage<Api extends PageApi> extends AsyncDisposable {
  readonly page: Page
  /** Runs an exposed function in the page. What goes in and comes out is JSON. */
  readonly call: <Name extends keyof Api & string>(
    name: Name,
    ...args: Parameters<Api[Name]>
  ) => Promise<Awaited<ReturnType<Api[Name]>>>
}

export interface HarnessOptions extends PageServerOptions {
  /** The folder of the browser's profile; one of its own otherwise, removed in the end. */
  readonly profile?: string
  /** The host of the pages' address, mapped to this machine. Over plain http no name but `localhost` is a secure context. */
  readonly host?: string
  /** Complaints of pages that are no failure, such as a console's remark on a request that was cut on purpose. */
  readonly expected?: readonly RegExp[]
}

export interface Harness extends AsyncDisposable {
  /** The origin of all pages. It stays the same when the browser starts again. */
  readonly url: string
  readonly context: () => BrowserContext
  /**
   * Opens another page of an entry, a file's path in `test/browser`, which finds `hash` in its address. All pages share
   * storage, channels and locks.
   */
  readonly openPage: <Api extends PageApi>(entry: string, hash?: string) => Promise<TestPage<Api>>
  /** Takes the network away from all pages, also those opened later, or gives it back. Not to be used amid `openPage`. */
  readonly setOffline: (isOffline: boolean) => Promise<void>
  /** Kills the browser with signal 9, at once. */
  readonly kill: () => Promise<void>
  /** Starts the browser again, on the same profile, offline if it was. */
  readonly restart: () => Promise<void>
  /** Errors that pages logged or threw so far, the expected ones left out. */
  readonly complaints: readonly string[]
}

const ARGUMENTS = ['--no-sandbox', '--disable-dev-shm-usage']
/** Chromium lets only secure pages ask whether they may reach this machine, which is where these come from. */
const mapped = (host: string): readonly string[] => [
  `--host-resolver-rules=MAP ${host} 127.0.0.1`,
  '--disable-features=LocalNetworkAccessChecks',
]
/** For what ends: opening a page takes long where much else is done. */
const STEP_MS_MAX = 120_000
/** What the console says to each request that fails for want of a network. */
const OFFLINE = /net::ERR_(INTERNET_DISCONNECTED|NETWORK_CHANGED)/

const pidOf = async (context: BrowserContext): Promise<number> => {
  const session = await context.browser()?.newBrowserCDPSession()
  const { processInfo = [] } = (await session?.send('SystemInfo.getProcessInfo')) ?? {}
  const browser = processInfo.find(({ type }) => type === 'browser')
  if (!browser) throw new Error('Chromium does not say its pid')
  return browser.id
}

/**
 * Answers the pages' own files from memory, network or not. An installed app has them from its service worker's cache,
 * which answers in the same place: before the network, with bytes that are on the device. Only the worker's own start is
 * not seen here.
 */
const serveFromMemory = (
  context: BrowserContext,
  origin: string,
  pages: Awaited<ReturnType<typeof startPageServer>>,
): Promise<unknown> =>
  context.route(
    (url) => url.origin === origin && pages.files.has(url.pathname),
    (route) => {
      const file = pages.files.get(new URL(route.request().url()).pathname)
      return file ? route.fulfill({ contentType: file.type, body: file.body }) : route.continue()
    },
  )

/** Takes the network away from a page, or gives it back. */
const setNetwork = (session: CDPSession, isOffline: boolean): Promise<unknown> =>
  session.send('Network.emulateNetworkConditions', {
    offline: isOffline,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1,
  })

/**
 * Goes to a page that is to find itself offline. Chromium forgets with each navigation that it must also say so, until it
 * is told again; up to then this stands in.
 */
const gotoOffline = async (page: Page, session: CDPSession, url: string): Promise<void> => {
  await setNetwork(session, true)
  const standIn = await page.addInitScript(() => {
    Object.defineProperty(navigator, 'onLine', { get: () => false, configurable: true })
    addEventListener('online', () => Reflect.deleteProperty(navigator, 'onLine'), { once: true })
  })
  await page.goto(url)
  await setNetwork(session, true)
  await standIn.dispose()
}

export const startHarness = async ({
  profile,
  host,
  expected = [],
  ...options
}: HarnessOptions = {}): Promise<Harness> => {
  await using owned = new AsyncDisposableStack()
  const executablePath = await mustChromium()
  const folder = profile ?? (await mkdtemp(join(tmpdir(), 'syncline-profile-')))
  if (profile === undefined) owned.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }))
  const pages = owned.use(await startPageServer(options))
  const url = host === undefined ? pages.url : `http://${host}:${new URL(pages.url).port}`
  const complaints: string[] = []
  const sessions = new Set<CDPSession>()
  let isOffline = false
  let context: BrowserContext
  let pid: number

  const complain = (text: string): void => {
    const isExpected = [...expected, OFFLINE].some((pattern) => pattern.test(text))
    if (!isExpected) complaints.push(text)
  }
  const start = async (): Promise<void> => {
    context = await chromium.launchPersistentContext(folder, {
      executablePath,
      headless: true,
      args: host === undefined ? ARGUMENTS : [...ARGUMENTS, ...mapped(host)],
      // A page that came from memory has no address, and Chromium asks before it may reach one of this machine.
      permissions: ['local-network-access'],
    })
    context.setDefaultTimeout(STEP_MS_MAX)
    pid = await pidOf(context)
    context.on('console', (message) => {
      if (message.type() === 'error') complain(`console: ${message.text()} (${message.location().url})`)
    })
    context.on('weberror', (thrown) => complain(`thrown: ${String(thrown.error().stack ?? thrown.error())}`))
    if (!options.isCached) await serveFromMemory(context, url, pages)
    sessions.clear()
  }
  await start()
  owned.defer(() => context.close())

  const openPage = async <Api extends PageApi>(entry: string, hash = ''): Promise<TestPage<Api>> => {
    const path = `${await pages.addPage(entry)}#${encodeURIComponent(hash)}`
    const page = await context.newPage()
    const session = await context.newCDPSession(page)
    sessions.add(session)
    page.on('close', () => sessions.delete(session))
    await (isOffline ? gotoOffline(page, session, url + path) : page.goto(url + path))
    await page.waitForFunction(() => 'testApi' in globalThis)
    return {
      page,
      call: (name, ...args) =>
        page.evaluate(([name, args]) => (globalThis as unknown as { testApi: PageApi }).testApi[name]?.(...args), [
          name,
          args,
        ] as const) as Promise<Awaited<ReturnType<Api[typeof name]>>>,
      [Symbol.asyncDispose]: () => page.close(),
    }
  }
  const kept = owned.move()
  return {
    url,
    context: () => context,
    openPage,
    setOffline: async (offline) => {
      isOffline = offline
      // A page that knows of no network must never ask in vain: it would complain of a server that hangs up.
      if (!offline) pages.setPlugged(true)
      await Promise.all([...sessions].map((session) => setNetwork(session, offline)))
      if (offline) pages.setPlugged(false)
    },
    kill: async () => {
      const gone = context.waitForEvent('close')
      process.kill(pid, 'SIGKILL')
      await gone
    },
    restart: start,
    complaints,
    [Symbol.asyncDispose]: async () => {
      await kept.disposeAsync()
      if (complaints.length > 0) throw new Error(`pages complained:\n${complaints.join('\n')}`)
    },
  }
}
