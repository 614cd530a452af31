// Operations and readers by REST: what is answered, and in which order things are refused.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { openTeam } from './team.ts'

interface Tasks {
  readonly tasks: readonly { readonly id: string; readonly title: string; readonly done: boolean }[]
}

describe('operations', () => {
  test('[OP1] an operation answers its result, and every reader sees what it did', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const bob = await team.join('bob')
    const path = `/documents/tasks/${await team.channel('TODO')}`
    const { result } = await app.must<{ result: { id: string } }>(200, 'POST', `${path}/operations/task.add`, {
      token: alice.token,
      body: { title: ' Buy milk ' },
    })
    const body = { id: result.id, done: true }
    await app.must(200, 'POST', `${path}/operations/task.complete`, { token: bob.token, body })
    const { tasks } = await app.must<Tasks>(200, 'GET', path, { token: bob.token })
    assert.deepEqual(
      tasks.map(({ id, title, done }) => ({ id, title, done })),
      [{ id: result.id, title: 'Buy milk', done: true }],
    )
  })

  test('[OP2] what cannot be done is refused in one order, and changes nothing', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const { token } = alice
    const guest = await team.join('guest', 'guest')
    const stranger = await app.person('stranger')
    const id = await team.channel('TODO')
    const tasks = `/documents/tasks/${id}`
    const add = `${tasks}/operations/task.add`
    // Each request has all the faults of those below it too.
    const body = '{'
    await app.refused(404, 'document/bad-name', 'POST', `/documents/nothing/${id}/operations/task.add`, { body })
    await app.refused(404, 'document/bad-name', 'POST', '/documents/tasks/x/operations/task.add', { body })
    await app.refused(404, 'document/bad-name', 'GET', '/documents/tasks/short')
    await app.refused(404, 'operation/unknown', 'POST', `${tasks}/operations/task.fly`, { body })
    await app.refused(404, 'operation/unknown', 'POST', `${tasks}/operations/constructor`, { body })
    await app.refused(401, 'auth/required', 'POST', add, { body })
    await app.refused(401, 'auth/required', 'GET', tasks)
    for (const unknown of ['tasks/channel-that-is-not', `board/${id}`, `tasks/${id}/1`]) {
      const at = `/documents/${unknown}`
      await app.refused(404, 'access/not-found', 'GET', at, { token })
      const name = unknown.startsWith('board') ? 'card.add' : 'task.add'
      await app.refused(404, 'access/not-found', 'POST', `${at}/operations/${name}`, { token, body })
    }
    await app.refused(404, 'access/not-found', 'POST', add, { token: stranger.token, body })
    await app.refused(404, 'access/not-found', 'GET', tasks, { token: stranger.token })
    await app.refused(403, 'access/forbidden', 'POST', add, { token: guest.token, body })
    await app.must(200, 'GET', tasks, { token: guest.token })
    await app.refused(400, 'input/not-json', 'POST', add, { token, body })
    const error = await app.refused(422, 'input/invalid', 'POST', add, { token, body: { title: '', color: 'red' } })
    assert.deepEqual(error.details?.issues?.map(({ field }) => field).sort(), ['color', 'title'])
    const none = 'task-that-is-not'
    await app.refused(404, 'record/not-found', 'POST', `${tasks}/operations/task.delete`, { token, body: { id: none } })
    const assigned = { title: 'Wash up', assignee: stranger.id }
    await app.refused(422, 'not-a-member', 'POST', add, { token, body: assigned })
    assert.deepEqual(await app.must(200, 'GET', tasks, { token }), { tasks: [] })
  })

  test('[OP3] the writer, the time and the ids are the server’s to say', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const path = `/documents/tasks/${await team.channel('TODO')}`
    const { token } = alice
    await app.refused(422, 'input/invalid', 'POST', `${path}/operations/task.add`, {
      token,
      body: { title: 'x', createdBy: 'somebody-else', createdAt: 1 },
    })
    await app.must(200, 'POST', `${path}/operations/task.add`, { token, body: { title: 'x' } })
    const { tasks } = await app.must<{ tasks: { createdBy: string; createdAt: number }[] }>(200, 'GET', path, { token })
    assert.deepEqual(
      tasks.map(({ createdBy, createdAt }) => [createdBy, createdAt]),
      [[alice.id, app.clock.time]],
    )
  })

  test('[OP4] a repeat with the same id changes nothing; an id of somebody else is taken', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const bob = await team.join('bob')
    const path = `/documents/tasks/${await team.channel('TODO')}`
    const body = { id: 'task-0000000001', title: 'once' }
    for (const title of ['once', 'twice']) {
      const asking = { token: alice.token, body: { ...body, title } }
      await app.must(200, 'POST', `${path}/operations/task.add`, asking)
    }
    await app.refused(409, 'id/taken', 'POST', `${path}/operations/task.add`, { token: bob.token, body })
    const { tasks } = await app.must<Tasks>(200, 'GET', path, { token: bob.token })
    assert.deepEqual(
      tasks.map(({ title }) => title),
      ['once'],
    )
  })

  test('[OP5] a document that the server alone writes takes no operation, and is read', async () => {
    await using team = await openTeam()
    const { app, alice, group } = team
    const wall = `/documents/wall/${group.id}/2026`
    assert.deepEqual(await app.must(200, 'GET', wall, { token: alice.token }), { checkins: [], stats: {} })
    await app.refused(404, 'operation/unknown', 'POST', `${wall}/operations/checkin.submit`, { token: alice.token })
    await app.refused(404, 'access/not-found', 'GET', `/documents/wall/${group.id}`, { token: alice.token })
    const own = `/documents/checkins/${alice.id}`
    assert.deepEqual(await app.must(200, 'GET', own, { token: alice.token }), { checkins: [] })
    const bob = await team.join('bob')
    await app.refused(404, 'access/not-found', 'GET', own, { token: bob.token })
  })

  test('[OP14] a text is read and replaced as JSON, Markdown or HTML', async () => {
    await using team = await openTeam()
    const { app, alice } = team
    const { token } = alice
    const id = await team.channel('DOC')
    const markdown = '# Minutes\n\nMilk is **out**.\n'
    for (const path of [`/documents/document/${id}`, `/documents/document/${id}/record-0000000001`]) {
      await app.must(200, 'POST', `${path}/operations/document.replace`, { token, body: { markdown } })
      const read = (format: string) =>
        app.must<Record<string, string>>(200, 'GET', `${path}?format=${format}`, { token })
      assert.equal((await read('markdown'))['markdown']?.trim(), markdown.trim())
      assert.match((await read('html'))['html'] ?? '', /<h1>Minutes<\/h1>.*<strong>out<\/strong>/s)
      const { json } = await app.must<{ json: { type: string } }>(200, 'GET', path, { token })
      assert.equal(json.type, 'doc')
      await app.refused(422, 'input/invalid', 'GET', `${path}?format=pdf`, { token })
    }
    await app.must(200, 'PUT', `/documents/channels/${id}`, { token, body: { html: '<p>Nothing to say</p>' } })
    const { html } = await app.must<{ html: string }>(200, 'GET', `/documents/channels/${id}?format=html`, { token })
    assert.match(html, /<p>Nothing to say<\/p>/)
  })
})
