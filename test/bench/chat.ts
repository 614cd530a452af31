// What a long chat costs: `node test/bench/chat.ts`. Fills a channel with 1,000 and with 100,000 messages, restarts the
// server, and opens the newest page over a fresh socket; then pages back one segment at a time.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as Y from 'yjs'
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import { readChat } from '../../shared/chat/model.ts'
import { MESSAGES_PER_SEGMENT } from '../../shared/limits.ts'
import { type OperationContext, runOperation } from '../../shared/operation.ts'
import { openStorage } from '../../storage/open.ts'
import { type AppendEntry, appendUpdates } from '../../storage/updates.ts'
import { ask, createTeam, login, type Person } from '../helpers/accounts.ts'
import { createRandom, type Random } from '../helpers/random.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { scriptPath, startProcess, type StartedProcess } from './peers/peer.ts'

const SIZES = [1_000, 100_000]
const PEOPLE = 20
const OPENINGS = 9
const PAGES_BACK = 5
const MS_MAX = 100
const BYTES_MAX = 300 * 1024
const WORDS = 'the cat sat on a mat and looked at what was for lunch today while it rained again'.split(' ')

const urlOf = ({ host, port }: StartedProcess): string => `http://${host}:${port}`

const start = (directory: string): Promise<StartedProcess> =>
  startProcess(scriptPath('../../../server/main.ts'), {
    DATA_DIR: directory,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'warn',
  })

const idOf = (kind: string, number: number): string => `${kind}-${String(number).padStart(27, '0')}`

/** A segment as its writers left it, and whose the client ids in it are. */
const fillSegment = (
  channel: string,
  segment: number,
  count: number,
  people: readonly Person[],
  random: Random,
): AppendEntry => {
  const doc = new Y.Doc()
  const send = CHAT_KIND.operations.find(({ name }) => name === 'message.send')
  const react = CHAT_KIND.operations.find(({ name }) => name === 'message.react')
  if (!send || !react) throw new Error('the chat has no operations to send and to react')
  for (let n = 0; n < count; n++) {
    const who = random.int(0, people.length - 1)
    const number = segment * MESSAGES_PER_SEGMENT + n
    doc.clientID = who + 1
    const ctx: OperationContext = {
      actor: (people[who] as Person).id,
      role: 'member',
      now: Date.UTC(2026, 0, 1) + number * 60_000,
      members: new Set(),
      isSealed: false,
      groups: new Map(),
      deviceId: 'bench',
      newId: () => idOf('message', number),
      random: () => 0.5,
    }
    const body = Array.from({ length: random.int(2, 24) }, () => random.pick(WORDS)).join(' ')
    const { result } = runOperation(CHAT_KIND, send, doc, { body }, ctx)
    if (random.chance(0.2))
      runOperation(CHAT_KIND, react, doc, { ...(result as { id: string }), emoji: '👍', on: true }, ctx)
  }
  const claims = people.map(({ id }, index) => ({ clientId: index + 1, userId: id }))
  return { document: `chat/${channel}/${segment}`, updates: [Y.encodeStateAsUpdate(doc)], claims }
}

const fill = async (directory: string, channel: string, size: number, people: readonly Person[]): Promise<number> => {
  await using storage = await openStorage({ sqlite: join(directory, 'syncline.sqlite') })
  const random = createRandom(1)
  const segments = size / MESSAGES_PER_SEGMENT
  for (let segment = 0; segment < segments; segment++) {
    // The newest is one short of full, or the server would open the next.
    const count = segment === segments - 1 ? MESSAGES_PER_SEGMENT - 1 : MESSAGES_PER_SEGMENT
    await appendUpdates(storage, [fillSegment(channel, segment, count, people, random)])
  }
  await storage.db.updateTable('channel').set({ segments }).where('id', '=', channel).execute()
  return segments
}

interface Opened {
  readonly ms: number
  readonly bytes: number
  readonly messages: number
}

/** From nothing to the messages of one segment: socket, token, state, reader. */
const openSegment = async (url: string, token: string, name: string): Promise<Opened> => {
  const startedAt = performance.now()
  const client = await connectWire(`${url.replace('http', 'ws')}/sync`)
  const document = await client.open(name, token)
  const { promise, resolve } = Promise.withResolvers<Y.Doc>()
  document.onUpdate = (update) => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, update)
    resolve(doc)
  }
  document.sendStep1(Y.encodeStateVector(new Y.Doc()))
  const { messages } = readChat(await promise)
  const ms = performance.now() - startedAt
  client.close()
  await client.closed
  return { ms, bytes: document.receivedBytes, messages: messages.length }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number

const measure = async (size: number): Promise<boolean> => {
  const directory = await mkdtemp(join(tmpdir(), 'syncline-chat-'))
  try {
    let server = await start(directory)
    const { group, people } = await createTeam(urlOf(server), PEOPLE)
    const body = { type: 'CHAT', name: 'long' }
    const token = people[0].accessToken
    const made = await ask(urlOf(server), 'POST', `/groups/${group.id}/channels`, { token, body })
    const channel = (made.data as { id: string }).id
    await server[Symbol.asyncDispose]()
    const segments = await fill(directory, channel, size, people)

    server = await start(directory)
    await using _stop = server
    const { accessToken } = await login(urlOf(server), people[0])
    const open = (segment: number) => openSegment(urlOf(server), accessToken, `chat/${channel}/${segment}`)
    const first = await open(segments - 1)
    const again: Opened[] = []
    for (let n = 0; n < OPENINGS; n++) again.push(await open(segments - 1))
    const back: Opened[] = []
    for (let n = 2; n <= Math.min(PAGES_BACK + 1, segments); n++) back.push(await open(segments - n))
    const worst = Math.max(first.ms, ...again.map(({ ms }) => ms), ...back.map(({ ms }) => ms))
    const bytes = Math.max(first.bytes, ...back.map((page) => page.bytes))
    const holds = worst <= MS_MAX && bytes <= BYTES_MAX
    const figures = {
      messages: size,
      segments,
      firstMs: first.ms,
      againMs: median(again.map(({ ms }) => ms)),
      pageBackMs: median(back.map(({ ms }) => ms)),
      worstMs: worst,
      bytes,
      perPage: first.messages,
      bar: `<= ${MS_MAX} ms and <= ${BYTES_MAX} bytes`,
      verdict: holds ? 'PASS' : 'FAIL',
    }
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    return holds
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

let holds = true
for (const size of SIZES) holds = (await measure(size)) && holds
process.exitCode = holds ? 0 : 1
