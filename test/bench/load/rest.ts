// REST beside the sockets: 200 people in ten groups, each asking once a second whatever the server does; half of them read
// (tasks, board, a page of the chat), half run an operation, which is answered once it is on disk. Delays count from the
// moment a request was due. Stock Hocuspocus has no REST, so there is nobody to compare with: the bar is a number.
import { syncP50Ms } from '../disk.ts'
import { startMeter } from '../meter.ts'
import { quantile } from '../statistics.ts'
import { pause } from './fleet.ts'
import type { Metrics, RunContext, Scenario } from './scenario.ts'

const USERS = 200
const USERS_PER_GROUP = 20
const REQUESTS_PER_USER_PER_SECOND = 1
const WARM_UP_MS = 2_000
const MEASURED_MS = 30_000
/** What a channel holds before: a list, a board and a chat of people who have worked for a while. */
const RECORDS_BEFORE = 50
/** Registrations at a time; a password takes a processor for some 30 ms. */
const REGISTRATIONS = 4

type Ask = <Data>(method: string, path: string, body?: unknown) => Promise<Data>

const asker =
  (base: string, token?: string): Ask =>
  async <Data>(method: string, path: string, body?: unknown): Promise<Data> => {
    const response = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: token }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`)
    return (JSON.parse(text) as { data: Data }).data
  }

interface Channels {
  readonly tasks: string
  readonly board: string
  readonly chat: string
  readonly column: string
}

interface User {
  readonly ask: Ask
  readonly channels: Channels
}

const register = async (base: string, index: number): Promise<Ask> => {
  const account = { username: `rest_${index}`, password: 'a quiet violet kettle' }
  const { accessToken } = await asker(base)<{ accessToken: string }>('POST', '/auth/register', account)
  return asker(base, `Bearer ${accessToken}`)
}

const operation = (name: string, document: string): string => `/documents/${document}/operations/${name}`

/** A group's channels, filled. Everybody says something, because one person may not say so much at once. */
const openChannels = async (members: readonly [Ask, ...Ask[]], group: string): Promise<Channels> => {
  const [ask] = members
  const make = async (type: string): Promise<string> =>
    (await ask<{ id: string }>('POST', `/groups/${group}/channels`, { type, name: type })).id
  const [tasks, board, chat] = [await make('TODO'), await make('KANBAN'), await make('CHAT')]
  const { result } = await ask<{ result: { id: string } }>('POST', operation('column.add', `board/${board}`), {
    name: 'To do',
  })
  const column = result.id
  for (let index = 0; index < RECORDS_BEFORE; index++) {
    const title = `thing number ${index} to be done`
    const say = members[index % members.length] as Ask
    await Promise.all([
      ask('POST', operation('task.add', `tasks/${tasks}`), { title }),
      ask('POST', operation('card.add', `board/${board}`), { title, column }),
      say('POST', operation('message.send', `chat/${chat}`), { body: title }),
    ])
  }
  return { tasks, board, chat, column }
}

const openUsers = async (base: string): Promise<User[]> => {
  const askers: Ask[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < USERS) {
      const index = next++
      askers[index] = await register(base, index)
    }
  }
  await Promise.all(Array.from({ length: REGISTRATIONS }, lane))
  const users: User[] = []
  for (let first = 0; first < USERS; first += USERS_PER_GROUP) {
    const members = askers.slice(first, first + USERS_PER_GROUP) as [Ask, ...Ask[]]
    const [owner, ...others] = members
    const group = await owner<{ id: string; accessCode: string }>('POST', '/groups', { name: 'rest' })
    for (const other of others) await other('POST', '/groups/join', { accessCode: group.accessCode })
    const channels = await openChannels(members, group.id)
    users.push(...members.map((ask) => ({ ask, channels })))
  }
  return users
}

/** Six requests in turn, half of them readers; users begin at different ones. */
const requestOf = ({ ask, channels }: User, turn: number): Promise<unknown> => {
  const { tasks, board, chat, column } = channels
  const text = `request ${turn}`
  switch (turn % 6) {
    case 0:
      return ask('GET', `/documents/tasks/${tasks}`)
    case 1:
      return ask('POST', operation('task.add', `tasks/${tasks}`), { title: text })
    case 2:
      return ask('GET', `/documents/board/${board}`)
    case 3:
      return ask('POST', operation('card.add', `board/${board}`), { title: text, column, after: null })
    case 4:
      return ask('GET', `/documents/chat/${chat}?limit=50`)
    default:
      return ask('POST', operation('message.send', `chat/${chat}`), { body: text })
  }
}

const run = async ({ peer, directory, quick, profilePath }: RunContext): Promise<Metrics> => {
  const diskSyncMs = await syncP50Ms(directory)
  await using server = await peer.start(directory)
  const { host, port } = server.target(0)
  const users = await openUsers(`http://${host}:${port}`)

  const delays: number[] = []
  const under = new Set<Promise<void>>()
  let errors = 0
  let isMeasured = false
  const send = (index: number, dueAt: number): void => {
    const counts = isMeasured
    const request = requestOf(users[index % USERS] as User, (index % USERS) + Math.floor(index / USERS))
      .then(
        () => void (counts && delays.push(performance.now() - dueAt)),
        () => void (counts && errors++),
      )
      .finally(() => under.delete(request))
    under.add(request)
  }
  const intervalMs = 1_000 / (USERS * REQUESTS_PER_USER_PER_SECOND)
  const startedAt = performance.now()
  let sent = 0
  const ticker = setInterval(() => {
    const now = performance.now()
    for (; startedAt + sent * intervalMs <= now; sent++) send(sent, startedAt + sent * intervalMs)
  }, 1)
  try {
    await pause(quick ? 500 : WARM_UP_MS)
    const meter = await startMeter(server, profilePath)
    isMeasured = true
    await pause(quick ? 5_000 : MEASURED_MS)
    isMeasured = false
    const usage = await meter.stop()
    clearInterval(ticker)
    await Promise.all(under)
    return {
      requestsPerSecond: (delays.length + errors) / usage.seconds,
      p50Ms: quantile(delays, 0.5),
      p95Ms: quantile(delays, 0.95),
      p99Ms: quantile(delays, 0.99),
      errors,
      diskSyncMs,
      ...usage,
    }
  } finally {
    clearInterval(ticker)
  }
}

export const REST: Scenario = { name: 'rest', without: ['stock', 'y-websocket'], run }
