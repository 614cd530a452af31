// A chat by REST: which segment is meant, and how its pages hold together.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { operate, targetOf } from '../../server/http/operate.ts'
import { AppError } from '../../shared/errors.ts'
import { idOf } from '../../shared/names.ts'
import type { AnyOperation } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { openTeam } from './team.ts'
import type { TestApp } from './test-app.ts'

describe('chats', () => {
  interface Page {
    readonly messages: readonly { readonly id: string; readonly body: string }[]
    readonly segment: number
    readonly before?: string
  }

  /** Opens the segment after the newest one, as the server does when that is full. */
  const nextSegment = (app: TestApp, id: string) =>
    app.storage.db
      .updateTable('channel')
      .set((eb) => ({ segments: eb('segments', '+', 1) }))
      .where('id', '=', id)
      .execute()

  const walk = async (app: TestApp, token: string, path: string, limit: number): Promise<Page[]> => {
    const pages: Page[] = []
    let before: string | undefined
    do {
      const query = new URLSearchParams({ limit: String(limit), ...(before !== undefined && { before }) })
      const page = await app.must<Page>(200, 'GET', `${path}?${query}`, { token })
      pages.push(page)
      assert.ok(pages.length < 500, 'the pages have no end')
      before = page.before
    } while (before !== undefined)
    return pages
  }

  test('[OP6] a chat without a segment is its newest one', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const id = await team.channel('CHAT')
    const chat = `/documents/chat/${id}`
    const { token } = alice
    const send = (at: string, text: string) =>
      app.must<{ result: { id: string } }>(200, 'POST', `${at}/operations/message.send`, {
        token,
        body: { body: text },
      })
    const { result: old } = await send(chat, 'old')
    await nextSegment(app, id)
    await send(chat, 'new')
    const bodies = async (at: string) =>
      (await app.must<Page>(200, 'GET', at, { token })).messages.map(({ body }) => body)
    assert.deepEqual(await bodies(chat), ['new'])
    assert.deepEqual([await bodies(`${chat}/0`), await bodies(`${chat}/1`)], [['old'], ['new']])
    await app.refused(404, 'access/not-found', 'GET', `${chat}/2`, { token })
    const body = { body: 'too late' }
    await app.refused(409, 'segment-sealed', 'POST', `${chat}/0/operations/message.send`, { token, body })
    const edit = { id: old.id, body: 'older' }
    await app.must(200, 'POST', `${chat}/0/operations/message.edit`, { token, body: edit })
    await app.refused(404, 'record/not-found', 'POST', `${chat}/operations/message.edit`, { token, body: edit })
  })

  test('[OP7] a message whose segment is sealed on the way goes to the next one, once', async () => {
    const operation = KINDS.get('chat')?.operations.find(({ name }) => name === 'message.send') as AnyOperation
    const doc = new Y.Doc()
    const asked: string[] = []
    let lastId = 0
    const run = (sealedTimes: number, name: string) => {
      asked.length = 0
      const claims = { userId: idOf<'user'>('user-0000000001'), sessionId: 'session-0000000001' }
      const deps = {
        access: {
          openFor: async () => {
            const segment = asked.length
            asked.push(`chat/chat-0000000001/${segment}`)
            return {
              ...claims,
              deviceId: claims.sessionId,
              role: 'member' as const,
              readOnly: false,
              name: targetOf('chat', 'chat-0000000001', String(segment)).name,
              facts: { members: new Set<string>(), isSealed: segment < sealedTimes, groups: new Map() },
            }
          },
        },
        changes: { rightsVersion: () => 0 },
        sync: { withDocument: async <Result>(_: string, use: (live: Y.Doc) => Result) => use(doc) },
        now: () => 1,
        newId: () => `id-${String(++lastId).padStart(12, '0')}`,
        random: () => 0.5,
      }
      const target = targetOf('chat', 'chat-0000000001', name === '' ? undefined : name)
      return operate(deps, claims, target, operation, async () => ({ body: 'hello' }))
    }
    const isSealed = (error: unknown) => error instanceof AppError && error.code === 'segment-sealed'
    await run(1, '')
    assert.equal(asked.length, 2)
    await assert.rejects(run(2, ''), isSealed)
    assert.equal(asked.length, 2)
    await assert.rejects(run(1, '0'), isSealed)
    assert.equal(asked.length, 1)
  })

  test('[OP8] pages of a chat hold every message once, each page oldest first, back to the first segment', async () => {
    const random = createRandom(chooseSeed())
    await using team = await openTeam()
    const { app, alice } = team
    const id = await team.channel('CHAT')
    const { token } = alice
    const sent: string[] = []
    for (let segment = 0; segment < 4; segment++) {
      if (segment > 0) await nextSegment(app, id)
      // The third segment stays empty.
      const count = segment === 2 ? 0 : random.int(1, 12)
      for (let index = 0; index < count; index++) {
        if (random.chance(0.5)) app.clock.time += random.int(1, 1_000)
        const body = { body: `message ${segment}.${index}` }
        await app.must(200, 'POST', `/documents/chat/${id}/operations/message.send`, { token, body })
        sent.push(body.body)
      }
    }
    for (const path of [`/documents/chat/${id}`, `/messages/channels/${id}`, `/chats/${id}/messages`]) {
      for (const limit of [1, 3, 100]) {
        const pages = await walk(app, token, path, limit)
        const what = `seed ${random.seed}, ${path}, limit ${limit}`
        assert.ok(
          pages.every(({ messages }) => messages.length <= limit),
          what,
        )
        const seen = pages.toReversed().flatMap(({ messages }) => messages.map(({ body }) => body))
        assert.deepEqual(seen.toSorted(), sent.toSorted(), what)
        if (limit === 100) assert.deepEqual(seen.length, sent.length, what)
        const segments = pages.map(({ segment }) => segment)
        assert.deepEqual(
          segments,
          segments.toSorted((a, b) => b - a),
          what,
        )
      }
    }
    const page = await app.must<Page>(200, 'GET', `/messages/search/${id}?q=MESSAGE%203.&limit=100`, { token })
    assert.equal(page.messages.length, sent.filter((body) => body.startsWith('message 3.')).length)
  })

  test('[OP9] a page does not shift when messages come or go', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const id = await team.channel('CHAT')
    const { token } = alice
    const path = `/documents/chat/${id}`
    const ids: string[] = []
    const send = async () => {
      app.clock.time += 1
      const asking = { token, body: { body: `${ids.length}` } }
      const at = `${path}/operations/message.send`
      ids.push((await app.must<{ result: { id: string } }>(200, 'POST', at, asking)).result.id)
    }
    for (let index = 0; index < 6; index++) await send()
    const first = await app.must<Page>(200, 'GET', `${path}?limit=2`, { token })
    await send()
    // The very message that the cursor stands on.
    await app.must(200, 'POST', `${path}/operations/message.delete`, { token, body: { id: ids[4] } })
    const second = await app.must<Page>(200, 'GET', `${path}?limit=2&before=${first.before}`, { token })
    assert.deepEqual(
      [first, second].map(({ messages }) => messages.map(({ body }) => body)),
      [
        ['4', '5'],
        ['2', '3'],
      ],
    )
  })

  test('[OP10] a cursor that is none, and a limit out of bounds, are refused', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const path = `/documents/chat/${await team.channel('CHAT')}`
    const { token } = alice
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const cursors = [
      'x',
      '%00',
      forged([1]),
      forged([-1]),
      forged([0.5]),
      forged(['0']),
      forged([0, 'a', 'b']),
      forged({}),
    ]
    for (const cursor of [...cursors, forged([0, 1, 'x', 'y']), 'A'.repeat(500)])
      await app.refused(422, 'input/invalid', 'GET', `${path}?before=${cursor}`, { token })
    for (const limit of ['0', '101', '-1', 'x', '1.5', ''])
      await app.refused(422, 'input/invalid', 'GET', `${path}?limit=${limit}`, { token })
    await app.refused(422, 'input/invalid', 'GET', `${path}?offset=3`, { token })
    await app.must(200, 'GET', `${path}?limit=100&before=${forged([0])}`, { token })
  })
})
