// `npm run bench:browser`: what the SDK takes in Chromium. A cold start without a network on 10,000 tasks, 20 documents and
// 5,000 messages; single writes in the list of 10,000.
import { generateNKeysBetween } from 'fractional-indexing'
import type * as Y from 'yjs'
import type { BenchPage, Cached } from '../browser/bench-page.ts'
import { startHarness } from '../browser/harness.ts'
import { startOwnServer } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { createQuietWait } from './meter.ts'
import { quantile } from './statistics.ts'

const TASKS = 10_000
const DOCUMENTS = 20
/** Fewer than fill a segment: then they are the newest. */
const CHATS = 11
const MESSAGES_EACH = 460
const STARTS = 10
const WRITES = 400
const BROWSER_STARTS_MS = 2_000
const QUIET_MS_MAX = 60_000
const CREATED_AT = 1_770_000_000_000

const fillTasks = (doc: Y.Doc, createdBy: string): void => {
  const positions = generateNKeysBetween(null, null, TASKS)
  const tasks = doc.getMap('tasks')
  doc.transact(() => {
    positions.forEach((position, number) => {
      const dueDate = number % 3 === 0 ? '2026-02-11' : null
      const title = `Task ${number}: something to be done`
      tasks.set(`task-${String(number).padStart(10, '0')}`, {
        title,
        dueDate,
        position: `${position}V`,
        createdAt: CREATED_AT,
        createdBy,
      })
    })
  })
}

const fillChat = (doc: Y.Doc, by: string): void => {
  const messages = doc.getMap('messages')
  doc.transact(() => {
    for (let number = 0; number < MESSAGES_EACH; number++) {
      const id = `${by}.message-${String(number).padStart(8, '0')}`
      messages.set(id, { by, body: `Message ${number}, with some words in it.`, sentAt: CREATED_AT + number })
    }
  })
}

const shown = (ms: number): string => `${ms.toFixed(1).padStart(7)} ms`
const show = (what: string, times: readonly number[]): string =>
  `${what.padEnd(48)} p50 ${shown(quantile(times, 0.5))}   p95 ${shown(quantile(times, 0.95))}   slowest ${shown(Math.max(...times))}`

await using server = await startOwnServer()
await using harness = await startHarness({ server: server.url, minify: true, isCached: true })
const fill = await harness.openPage<BenchPage>('bench-page.ts')
const user = await fill.call('register', 'bench_browser', PASSWORD)
const group = await fill.call('makeGroup')
const make = async (type: 'TODO' | 'DOC' | 'CHAT', count: number): Promise<string[]> => {
  const ids: string[] = []
  for (let number = 0; number < count; number++) ids.push(await fill.call('makeChannel', group, type))
  return ids
}
const [list = ''] = await make('TODO', 1)
const cached: Cached = { list, documents: await make('DOC', DOCUMENTS), chats: await make('CHAT', CHATS) }
await server.sync.withDocument(`tasks/${list}`, (doc) => fillTasks(doc, user.id))
for (const id of cached.documents) {
  await server.sync.withDocument(`document/${id}`, (doc) =>
    doc.getText('text').insert(0, 'Some words of a text. '.repeat(200)),
  )
}
for (const id of cached.chats) await server.sync.withDocument(`chat/${id}/0`, (doc) => fillChat(doc, user.id))
await fill.call('cache', cached)
await fill.page.close()

await harness.setOffline(true)
const untilQuiet = createQuietWait(QUIET_MS_MAX)
const starts = []
for (let number = 0; number < STARTS; number++) {
  await harness.kill()
  await harness.restart()
  // The app is started, not the browser: that has its own work to do at first.
  await new Promise((resolve) => setTimeout(resolve, BROWSER_STARTS_MS))
  await untilQuiet()
  const page = await harness.openPage<BenchPage>('bench-page.ts', JSON.stringify(cached))
  const start = await page.call('started')
  if (!start) throw new Error('the page did not start')
  if (start.count < TASKS || start.messages < CHATS * MESSAGES_EACH || start.characters < DOCUMENTS * 4_000) {
    throw new Error(`not everything is cached: ${JSON.stringify(start)}`)
  }
  starts.push(start)
  await page.page.close()
}
const page = await harness.openPage<BenchPage>('bench-page.ts')
const { operated, durable, length } = await page.call('writes', list, WRITES)

const lines = [
  `cold start offline, ${STARTS} starts of the browser: ${TASKS} tasks, ${DOCUMENTS} documents, ${CHATS * MESSAGES_EACH} messages`,
  show(
    '  client open',
    starts.map(({ ready }) => ready),
  ),
  show(
    '  first data: the list of tasks',
    starts.map(({ first }) => first),
  ),
  show(
    '  everything read',
    starts.map(({ all }) => all),
  ),
  show(
    '  everything edited, and on the disk',
    starts.map(({ edited }) => edited),
  ),
  `${WRITES} single writes in a list of ${length}`,
  show('  operation and notification', operated),
  show('  on the disk (IndexedDB, strict)', durable),
]
process.stdout.write(`${lines.join('\n')}\n`)
