// RT-32: somebody types without a pause while a right of theirs is taken away, in every way there is. They are told at
// once, and nothing that they send afterwards is in the document.
import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import * as Y from 'yjs'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import {
  ask,
  createDocument,
  createGroup,
  joinGroup,
  login,
  PASSWORD,
  type Person,
  register,
} from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startOwnTime } from '../helpers/own-time.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { connectWire } from '../helpers/wire-client.ts'

const TEST_MS_MAX = 600_000
const ROUNDS = 50
const TOLD_MS_MAX = 1_000
const TYPED_BEFORE_MAX = 150
const TYPED_AFTER = 20
const OPENINGS = 60
const NEW_PASSWORD = 'another quiet violet kettle'

interface Round {
  readonly owner: Person
  readonly victim: Person
  readonly groupId: string
  readonly channelId: string
  /** Of a link to the document, which the victim uses where that is what is ended. */
  readonly share: { readonly id: string; readonly token: string }
}

interface Revocation {
  readonly title: string
  readonly code: string
  readonly byLink?: true
  readonly command: (round: Round) => readonly [method: string, path: string, token: string, body?: unknown]
}

const REVOCATIONS: readonly Revocation[] = [
  {
    title: 'kicked',
    code: 'revoked/access',
    command: ({ groupId, victim, owner }) => ['DELETE', `/groups/${groupId}/members/${victim.id}`, owner.accessToken],
  },
  {
    title: 'banned',
    code: 'revoked/access',
    command: ({ groupId, victim, owner }) => [
      'POST',
      `/groups/${groupId}/bans`,
      owner.accessToken,
      { userId: victim.id },
    ],
  },
  {
    title: 'made a guest',
    code: 'revoked/write',
    command: ({ groupId, victim, owner }) => [
      'PUT',
      `/groups/${groupId}/members/${victim.id}`,
      owner.accessToken,
      { role: 'guest' },
    ],
  },
  {
    title: 'left',
    code: 'revoked/access',
    command: ({ groupId, victim }) => ['POST', `/groups/${groupId}/leave`, victim.accessToken],
  },
  {
    title: 'logged out',
    code: 'revoked/session',
    command: ({ victim: { refreshToken } }) => ['POST', '/auth/logout', '', { refreshToken }],
  },
  {
    title: 'logged out everywhere',
    code: 'revoked/session',
    command: ({ victim: { refreshToken } }) => ['POST', '/auth/logout-all', '', { refreshToken }],
  },
  {
    title: 'password changed',
    code: 'revoked/session',
    command: ({ victim }) => [
      'POST',
      '/auth/password',
      victim.accessToken,
      { password: PASSWORD, newPassword: NEW_PASSWORD },
    ],
  },
  {
    title: 'link ended',
    code: 'revoked/session',
    byLink: true,
    command: ({ owner, share }) => ['DELETE', `/documents/document/shares/${share.id}`, owner.accessToken],
  },
  {
    title: 'channel deleted',
    code: 'revoked/access',
    command: ({ owner, channelId }) => ['DELETE', `/channels/${channelId}`, owner.accessToken],
  },
  {
    title: 'group deleted',
    code: 'revoked/access',
    command: ({ owner, groupId }) => ['DELETE', `/groups/${groupId}`, owner.accessToken],
  },
]

const ownTime = startOwnTime()
let server: OwnServer
let owner: Person
beforeAll(async () => {
  server = await startOwnServer()
  owner = await register(server.url)
}, TEST_MS_MAX)
afterAll(() => server?.[Symbol.asyncDispose]())
afterAll(() => ownTime[Symbol.dispose]())

const run = async (token: string, [method, path, , body]: ReturnType<Revocation['command']>): Promise<void> => {
  const answer = await ask(server.url, method, path, { token, body })
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.code}`)
}

const setUp = async (): Promise<Round & { name: string }> => {
  const victim = await register(server.url)
  const group = await createGroup(server.url, owner)
  await joinGroup(server.url, victim, group)
  const name = await createDocument(server.url, owner, group)
  const channelId = name.split('/')[1] as string
  const { data } = await ask(server.url, 'POST', `/documents/document/${channelId}/shares`, {
    token: owner.accessToken,
    body: { role: 'member' },
  })
  return { owner, victim, groupId: group.id, channelId, share: data as Round['share'], name }
}

/** Types numbers, a new one with each acknowledgement, until told to stop. */
const startTyping = async (name: string, token: string) => {
  const client = await connectWire(server.syncUrl)
  const document = await client.open(name, token)
  const doc = new Y.Doc()
  const state = { typed: 0, isStopped: false, lostAt: 0 }
  doc.on('update', (update: Uint8Array) => {
    if (client.socket.readyState === client.socket.OPEN) document.sendUpdate(update)
  })
  const type = (): void => doc.getArray('typed').push([state.typed++])
  const lost = (): void => void (state.lostAt ||= ownTime.now())
  document.onAck = (positive) => {
    if (!positive) lost()
    else if (!state.isStopped) type()
  }
  document.onClosed = lost
  void client.closed.then(lost)
  for (let i = 0; i < 4; i++) type()
  return { client, document, state, type }
}

const readServer = (name: string): Promise<number[]> =>
  server.sync.withDocument(name, (doc) => doc.getArray<number>('typed').toArray())

test(
  '[RI2] who loses a right while typing is told within a second, and nothing they send afterwards is taken',
  async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    let msMax = 0
    let typed = 0
    for (let round = 0; round < ROUNDS; round++) {
      const revocation = REVOCATIONS[round % REVOCATIONS.length] as Revocation
      const at = `SEED=${seed} round ${round}, ${revocation.title}`
      const stage = await setUp()
      const { victim, name, share } = stage
      const typing = await startTyping(name, revocation.byLink ? share.token : victim.accessToken)
      const { state, document, client } = typing
      const before = random.int(1, TYPED_BEFORE_MAX)
      await eventually(
        () => document.acked,
        (acked) => acked >= before,
        { what: `${at}: typing` },
      )
      const command = revocation.command(stage)
      // A password is changed on another device, which stays logged in.
      const other = revocation.title === 'password changed' ? (await login(server.url, victim)).accessToken : command[2]
      await run(other, command)
      const answeredAt = ownTime.now()
      state.isStopped = true
      const last = state.typed
      for (let i = 0; i < TYPED_AFTER; i++) typing.type()
      await eventually(
        () => state.lostAt,
        (lostAt) => lostAt > 0,
        { what: `${at}: being told` },
      )
      msMax = Math.max(msMax, state.lostAt - answeredAt)
      const codes = document.stateless.map((message) => (message as { code?: string }).code)
      assert.ok(codes.includes(revocation.code), `${at}: told ${JSON.stringify(document.stateless)}`)
      const found = await readServer(name)
      assert.ok(found.length >= document.acked, `${at}: ${found.length} of ${document.acked} acknowledged`)
      assert.ok(
        found.every((number) => number < last),
        `${at}: ${found.at(-1)} was typed after the answer at ${last}`,
      )
      const back = await connectWire(server.syncUrl)
      const again = await back.open(name, revocation.byLink ? share.token : victim.accessToken).then(
        () => 'open',
        () => 'denied',
      )
      assert.equal(again, revocation.code === 'revoked/write' ? 'open' : 'denied', at)
      for (const { close } of [client, back]) close()
      typed += state.typed
    }
    process.stdout.write(
      `revocation while typing: ${ROUNDS} rounds, ${typed} edits, told ${msMax.toFixed(0)} ms after the answer at most\n`,
    )
    assert.ok(msMax <= TOLD_MS_MAX, `${msMax} ms`)
  },
  TEST_MS_MAX,
)

test(
  '[RI3] what was being opened when a right was lost does not stay open',
  async () => {
    const { victim, groupId, channelId } = await setUp()
    const names = Array.from(
      { length: OPENINGS },
      (_, index) => `document/${channelId}/record-${String(index).padStart(10, '0')}`,
    )
    const client = await connectWire(server.syncUrl)
    const openings = names.map((name) =>
      client.open(name, victim.accessToken).then(
        (document) => document,
        () => null,
      ),
    )
    await run(owner.accessToken, ['DELETE', `/groups/${groupId}/members/${victim.id}`, owner.accessToken])
    const opened = (await Promise.all(openings)).filter((document) => document !== null)
    await eventually(
      () => opened.filter(({ closedWith }) => closedWith === undefined).map(({ name }) => name),
      (open) => open.length === 0,
      { msMax: TOLD_MS_MAX, now: ownTime.now, what: 'all to be closed' },
    )
    process.stdout.write(`revocation while opening: ${opened.length} of ${OPENINGS} had opened, and were closed\n`)
    client.close()
  },
  TEST_MS_MAX,
)
