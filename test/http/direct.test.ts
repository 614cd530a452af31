// Direct messages over HTTP: one channel for two people, which is no group to anybody.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { directIdOf } from '../../server/groups/direct.ts'
import { openTestApp, type TestApp } from './test-app.ts'

interface Direct {
  readonly id: string
  readonly groupId: null
  readonly documentName: string
  readonly user: { readonly id: string; readonly username: string; readonly name: string }
}

type Person = Awaited<ReturnType<TestApp['person']>>

const open = (app: TestApp, { token }: Person, { id: userId }: { readonly id: string }) =>
  app.ask('POST', '/direct', { token, body: { userId } })

test('[CH9] two people have one direct-message channel, whoever opens it and however often; nobody else has it', async () => {
  await using app = await openTestApp()
  const [alice, bob, mallory] = [await app.person('alice'), await app.person('bob'), await app.person('mallory')]
  const tries = Array.from({ length: 12 }, (_, index) => (index % 2 ? open(app, alice, bob) : open(app, bob, alice)))
  const answers = await Promise.all(tries)
  assert.equal(answers.filter(({ status }) => status === 201).length, 1)
  assert.equal(answers.filter(({ status }) => status === 200).length, 11)
  const [channel] = answers.map(({ body }) => body.data as Direct)
  assert.ok(channel)
  assert.equal(new Set(answers.map(({ body }) => body.data.id as string)).size, 1)
  assert.equal(channel.id, directIdOf([bob.id, alice.id]))
  assert.match(channel.id, /^dm-[\w-]{32}$/)
  assert.equal(channel.documentName, `chat/${channel.id}/0`)
  for (const [me, other] of [
    [alice, bob],
    [bob, alice],
  ] as const) {
    const list = await app.must<Direct[]>(200, 'GET', '/direct', { token: me.token })
    assert.deepEqual(
      list.map(({ id, groupId, user }) => [id, groupId, user.id]),
      [[channel.id, null, other.id]],
    )
    const input = { id: `${me.id}.message-00000001`, body: 'hello' }
    const path = `/documents/chat/${channel.id}/operations/message.send`
    await app.must(200, 'POST', path, { token: me.token, body: input })
    assert.equal((await app.must<Direct>(200, 'GET', `/channels/${channel.id}`, { token: me.token })).groupId, null)
  }
  const { token } = mallory
  assert.deepEqual(await app.must(200, 'GET', '/direct', { token }), [])
  for (const path of [`/channels/${channel.id}`, `/documents/chat/${channel.id}`])
    await app.refused(404, 'access/not-found', 'GET', path, { token })
  await app.refused(422, 'input/invalid', 'POST', '/direct', { token, body: { userId: mallory.id } })
  await app.refused(404, 'group/member-unknown', 'POST', '/direct', { token, body: { userId: 'nobody-00000000' } })
  await app.refused(401, 'auth/required', 'POST', '/direct', { body: { userId: bob.id } })
})

test('[CH10] a direct-message channel is no group: it is not listed or counted, has no code, and nobody manages it', async () => {
  await using app = await openTestApp()
  const [alice, bob] = [await app.person('alice'), await app.person('bob')]
  const { token } = alice
  const { id } = (await open(app, alice, bob)).body.data as Direct
  assert.deepEqual(await app.must(200, 'GET', '/groups', { token }), [])
  const gone: [method: string, path: string, body?: object][] = [
    ['GET', ''],
    ['PUT', '', { name: 'x' }],
    ['DELETE', ''],
    ['POST', '/restore'],
    ['POST', '/leave'],
    ['POST', '/code', {}],
    ['DELETE', '/code'],
    ['GET', '/members'],
    ['POST', '/members', { userId: bob.id }],
    ['PUT', `/members/${bob.id}`, { role: 'guest' }],
    ['DELETE', `/members/${bob.id}`],
    ['GET', '/bans'],
    ['POST', '/bans', { userId: bob.id }],
    ['GET', '/invites'],
    ['POST', '/invites', { userId: bob.id }],
    ['GET', '/channels'],
    ['POST', '/channels', { type: 'DOC', name: 'x' }],
  ]
  for (const [method, path, body] of gone)
    await app.refused(404, 'access/not-found', method, `/groups/${id}${path}`, { token, ...(body && { body }) })
  await app.refused(403, 'access/forbidden', 'PUT', `/channels/${id}`, { token, body: { name: 'x' } })
  await app.refused(403, 'access/forbidden', 'DELETE', `/channels/${id}`, { token })
  const others = await Promise.all(Array.from({ length: 100 }, (_, index) => app.person(`other_${index}`)))
  for (const other of others) assert.equal((await open(app, alice, other)).status, 201)
  for (let index = 0; index < 100; index += 1) await app.must(201, 'POST', '/groups', { token, body: { name: 'x' } })
  await app.refused(409, 'group/too-many', 'POST', '/groups', { token, body: { name: 'x' } })
})

test('[CH11] no group and no channel takes the id that two people’s channel will have', async () => {
  await using app = await openTestApp()
  const [alice, bob, mallory] = [await app.person('alice'), await app.person('bob'), await app.person('mallory')]
  const { token } = mallory
  const id = directIdOf([alice.id, bob.id])
  await app.refused(422, 'input/invalid', 'POST', '/groups', { token, body: { id, name: 'x' } })
  const group = await app.must<{ id: string }>(201, 'POST', '/groups', { token, body: { name: 'x' } })
  const body = { id, type: 'CHAT', name: 'x' }
  await app.refused(422, 'input/invalid', 'POST', `/groups/${group.id}/channels`, { token, body })
  assert.equal((await open(app, alice, bob)).status, 201)
})

test('[CH12] the other one is shown by name where their profile is open, and by user name alone elsewhere', async () => {
  await using app = await openTestApp()
  const [alice, bob] = [await app.person('alice'), await app.person('bob')]
  await open(app, alice, bob)
  const shown = async (): Promise<string | undefined> =>
    (await app.must<Direct[]>(200, 'GET', '/direct', { token: alice.token }))[0]?.user.name
  const set = async (profile: string): Promise<void> => {
    const row = { name: 'Robert', privacy: JSON.stringify({ profile }) }
    await app.storage.db.updateTable('user').set(row).where('id', '=', bob.id).execute()
  }
  const names: (string | undefined)[] = []
  for (const profile of ['public', 'friends', 'private']) {
    await set(profile)
    names.push(await shown())
  }
  assert.deepEqual(names, ['Robert', 'bob', 'bob'])
  const { id } = await app.must<{ id: string }>(201, 'POST', '/groups', { token: alice.token, body: { name: 'x' } })
  await app.must(201, 'POST', `/groups/${id}/members`, { token: alice.token, body: { userId: bob.id } })
  await set('friends')
  assert.equal(await shown(), 'Robert')
})

test('[CH13] one person starts at most five hundred of them', async () => {
  await using app = await openTestApp()
  const [alice, bob] = [await app.person('alice'), await app.person('bob')]
  const about = { kind: 'direct', name: 'direct', description: '', timezone: 'UTC', check_in_frequency: 'weekly' }
  const rows = Array.from({ length: 500 }, (_, index) => ({
    ...about,
    id: `dm-${String(index).padStart(32, '0')}`,
    access_code: `none:${index}`,
    members_max: 2,
    created_by: alice.id,
    created_at: 0,
  }))
  await app.storage.db.insertInto('group').values(rows).execute()
  assert.equal((await open(app, alice, bob)).body.error.code, 'channel/too-many')
  assert.equal((await open(app, bob, alice)).status, 201)
  assert.equal((await open(app, alice, bob)).status, 200)
})

test('[CH10] whoever writes to somebody directly finds no more of them by that, and makes no check-ins there', async () => {
  await using app = await openTestApp()
  const [alice, bob] = [await app.person('alice'), await app.person('bob')]
  const { body } = await open(app, alice, bob)
  const channelId = (body.data as Direct).id
  const { token } = alice
  await app.refused(404, 'access/not-found', 'GET', `/users/${bob.id}`, { token })
  const row = await app.storage.db
    .selectFrom('channel')
    .select('group_id')
    .where('id', '=', channelId)
    .executeTakeFirst()
  const input = { groupId: row?.group_id, productive: 5, satisfied: 5, body: 5, care: 5 }
  const path = `/documents/checkins/${alice.id}/operations/checkin.submit`
  await app.refused(422, 'not-a-member', 'POST', path, { token, body: input })
})
