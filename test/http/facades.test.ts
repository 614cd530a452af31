// The routes of the source systems: each does what its operation does, asks for the document where its path names none,
// and tells a creation from its repeat.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { FACADES } from '../../server/http/facades.ts'
import { KINDS } from '../../shared/registry.ts'
import { openTeam } from './team.ts'

interface Named {
  readonly id: string
  readonly [field: string]: string
}

describe('the table', () => {
  test('[FA1] every row names a kind, and an operation or a reader, that there is', () => {
    for (const facade of FACADES) {
      const kind = KINDS.get(facade.kind)
      assert.ok(kind, facade.path)
      const names = kind.operations.map(({ name }) => name)
      if ('operation' in facade) assert.ok(names.includes(facade.operation), facade.operation)
      else assert.ok('view' in facade || kind.read, facade.path)
    }
    const routes = FACADES.map(({ method, path }) => `${method} ${path}`)
    assert.deepEqual(new Set(routes).size, routes.length)
  })

  test('[FA2] a route whose path names no channel asks for it', async () => {
    await using team = await openTeam()
    const { app } = team
    const { token } = team.alice
    const channel = await team.channel('TODO')
    const body = { id: 'task-0000000001', title: 'Buy milk' }
    await app.must(201, 'POST', `/tasks/channels/${channel}`, { token, body })
    const path = `/tasks/${body.id}`
    for (const [method, asking] of [
      ['GET', {}],
      ['PUT', { body: { title: 'x' } }],
      ['DELETE', {}],
    ] as const) {
      const error = await app.refused(422, 'input/invalid', method, path, { token, ...asking })
      assert.match(error.message, /channel/)
    }
    await app.must(200, 'PUT', `${path}?channel=${channel}`, { token, body: { title: 'Buy oat milk' } })
    const task = await app.must<{ title: string }>(200, 'GET', `${path}?channel=${channel}`, { token })
    assert.equal(task.title, 'Buy oat milk')
    const elsewhere = await team.channel('TODO')
    await app.refused(404, 'record/not-found', 'GET', `${path}?channel=${elsewhere}`, { token })
    const stranger = await app.person('stranger')
    await app.refused(404, 'access/not-found', 'GET', `${path}?channel=${channel}`, { token: stranger.token })
    await app.refused(401, 'auth/required', 'GET', path)
  })

  test('[FA3] what is made answers 201, the repeat of it 200', async () => {
    await using team = await openTeam()
    const { app } = team
    const { id: userId, token } = team.alice
    const made: [path: string, body: Named][] = [
      [`/tasks/channels/${await team.channel('TODO')}`, { id: 'task-0000000001', title: 'x' }],
      [`/kanban/channels/${await team.channel('KANBAN')}/columns`, { id: 'column-00000001', name: 'x' }],
      [`/messages/channels/${await team.channel('CHAT')}`, { id: `${userId}.message-00000001`, body: 'x' }],
    ]
    for (const [path, body] of made) {
      for (const status of [201, 200])
        assert.deepEqual(await app.must(status, 'POST', path, { token, body }), { id: body.id })
    }
  })

  test('[FA4] one record is found by its id; a deleted one is not', async () => {
    await using team = await openTeam()
    const { app } = team
    const { token } = team.alice
    const channel = await team.channel('KANBAN')
    const column = { id: 'column-00000001', name: 'To do' }
    await app.must(201, 'POST', `/kanban/channels/${channel}/columns`, { token, body: column })
    const card = { id: 'card-0000000001', title: 'Paint the fence' }
    await app.must(201, 'POST', `/kanban/columns/${column.id}/cards?channel=${channel}`, { token, body: card })
    const path = `/kanban/cards/${card.id}?channel=${channel}`
    const found = await app.must<{ title: string; column: string }>(200, 'GET', path, { token })
    assert.deepEqual([found.title, found.column], [card.title, column.id])
    await app.must(200, 'DELETE', path, { token })
    await app.refused(404, 'record/not-found', 'GET', path, { token })
    await app.refused(404, 'record/not-found', 'DELETE', path, { token })
  })
})

describe('messages', () => {
  test('[FA6] a message is edited, reacted to and deleted in the segment it is in', async () => {
    await using team = await openTeam()
    const { app } = team
    const { id: userId, token } = team.alice
    const channel = await team.channel('CHAT')
    const id = `${userId}.message-00000001`
    await app.must(201, 'POST', `/chats/${channel}/messages`, { token, body: { id, body: 'Lunch at one?' } })
    await app.storage.db.updateTable('channel').set({ segments: 2 }).where('id', '=', channel).execute()
    const at = `?channel=${channel}`
    await app.refused(404, 'record/not-found', 'GET', `/messages/${id}${at}`, { token })
    const old = `${at}&segment=0`
    await app.must(200, 'PUT', `/messages/${id}${old}`, { token, body: { body: 'Lunch at two?' } })
    await app.must(200, 'POST', `/messages/${id}/reactions${old}`, { token, body: { emoji: '👍' } })
    const message = () => app.must<{ body: string; reactions: object }>(200, 'GET', `/messages/${id}${old}`, { token })
    const { body, reactions } = await message()
    assert.deepEqual([body, reactions], ['Lunch at two?', { '👍': [userId] }])
    await app.must(200, 'DELETE', `/messages/${id}/reactions/${encodeURIComponent('👍')}${old}`, { token })
    assert.deepEqual((await message()).reactions, {})
    await app.must(200, 'DELETE', `/messages/${id}${old}`, { token })
    await app.refused(404, 'record/not-found', 'GET', `/messages/${id}${old}`, { token })
    await app.refused(404, 'document/bad-name', 'GET', `/messages/${id}${at}&segment=x`, { token })
  })
})

describe('check-ins', () => {
  const SCORES = { productive: 8, satisfied: 7, body: 6, care: 9 }
  const WEEK_MS = 7 * 24 * 3_600_000

  test('[FA7] one checks in once for a period, changes it, takes it back, and does it again', async () => {
    await using team = await openTeam()
    const { app, group } = team
    const { token } = team.alice
    const body = { groupId: group.id, ...SCORES }
    const { period } = await app.must<{ period: string }>(201, 'POST', '/checkins', { token, body })
    await app.refused(409, 'checkin/duplicate', 'POST', '/checkins', { token, body })
    const path = `/checkins/${group.id}.${period}`
    await app.must(200, 'PUT', path, { token, body: { care: 5 } })
    const current = async () =>
      (
        await app.must<{ checkins: { total: number }[] }>(200, 'GET', `/checkins/current?groupId=${group.id}`, {
          token,
        })
      ).checkins
    assert.deepEqual(
      (await current()).map(({ total }) => total),
      [16],
    )
    await app.must(200, 'DELETE', path, { token })
    assert.deepEqual(await current(), [])
    await app.refused(404, 'record/not-found', 'DELETE', path, { token })
    await app.refused(404, 'record/not-found', 'PUT', '/checkins/nothing', { token, body: {} })
    await app.must(201, 'POST', '/checkins', { token, body })
    assert.equal((await current()).length, 1)
  })

  test('[FA8] one’s own check-ins come in pages, newest first, each once', async () => {
    await using team = await openTeam()
    const { app, group } = team
    const { id: userId } = team.alice
    const session = await app.storage.db
      .selectFrom('session')
      .selectAll()
      .where('user_id', '=', userId)
      .executeTakeFirst()
    await app.storage.db
      .updateTable('session')
      .set({ expires_at: app.clock.time + 20 * WEEK_MS })
      .where('user_id', '=', userId)
      .execute()
    const sessionId = session?.family_id ?? ''
    const fresh = async () => (await app.accessTokens.sign({ userId, sessionId })).accessToken
    for (let week = 0; week < 5; week++) {
      app.clock.time += WEEK_MS
      await app.must(201, 'POST', '/checkins', { token: await fresh(), body: { groupId: group.id, ...SCORES } })
    }
    for (const path of ['/checkins', '/checkins/history']) {
      const periods: string[] = []
      let before: string | undefined
      do {
        const query = new URLSearchParams({ limit: '2', groupId: group.id, ...(before !== undefined && { before }) })
        const page = await app.must<{ checkins: { period: string }[]; before?: string }>(
          200,
          'GET',
          `${path}?${query}`,
          {
            token: await fresh(),
          },
        )
        periods.push(...page.checkins.map(({ period }) => period))
        before = page.before
        assert.ok(periods.length < 50, 'the pages have no end')
      } while (before !== undefined)
      assert.equal(periods.length, 5)
      assert.deepEqual(periods, periods.toSorted().toReversed())
    }
    await app.refused(422, 'input/invalid', 'GET', '/checkins?before=nothing', { token: await fresh() })
    const trends = await app.must<{ points: { scores: { total: number } | null }[]; streak: { current: number } }>(
      200,
      'GET',
      `/analytics/personal?groupId=${group.id}&count=5`,
      { token: await fresh() },
    )
    assert.deepEqual(
      trends.points.map(({ scores }) => scores?.total),
      [12, 12, 12, 12, 12],
    )
    assert.equal(trends.streak.current, 5)
    const insights = await app.must<{ basis: string }>(200, 'GET', `/analytics/insights?groupId=${group.id}`, {
      token: await fresh(),
    })
    assert.equal(insights.basis, 'rules')
  })

  test('[FA9] what is read of a group is for its members', async () => {
    await using team = await openTeam()
    const { app, group } = team
    const { token } = team.alice
    const { token: stranger } = await app.person('stranger')
    const paths = [
      `/checkins/group/${group.id}`,
      `/analytics/group/${group.id}`,
      `/analytics/personal?groupId=${group.id}`,
      `/analytics/comparison?groupId=${group.id}`,
      `/analytics/insights?groupId=${group.id}`,
    ]
    for (const path of paths) {
      await app.must(200, 'GET', path, { token })
      await app.refused(404, 'access/not-found', 'GET', path, { token: stranger })
      await app.refused(401, 'auth/required', 'GET', path)
    }
    await app.refused(422, 'input/invalid', 'GET', '/analytics/personal', { token })
    await app.refused(422, 'input/invalid', 'GET', `/analytics/group/${group.id}?count=1000`, { token })
    await app.refused(422, 'input/invalid', 'GET', `/checkins/group/${group.id}?year=x`, { token })
  })
})
