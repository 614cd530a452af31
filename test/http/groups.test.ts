// Groups over HTTP: who may create, see and join them, and what everybody else is told.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { openTestApp, type TestApp } from './test-app.ts'

interface Group {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly accessCode: string
}

const ID = '0190c0de-0000-7000-8000-000000000001'

const createGroup = (app: TestApp, token: string, more: object = {}): Promise<Group> =>
  app.must(201, 'POST', '/groups', { token, body: { name: 'Friends', ...more } })

describe('groups', () => {
  test('[GR1] whoever creates a group is its owner and sees its access code', async () => {
    await using app = await openTestApp()
    const alice = await app.person('alice')
    const body = { name: ' Friends ', description: 'Two\nlines', timezone: 'Europe/Berlin', checkInFrequency: 'daily' }
    const group = await app.must<Group>(201, 'POST', '/groups', { token: alice.token, body })
    const { id, accessCode, ...shown } = group
    assert.match(accessCode, /^[0-9A-HJKMNP-TV-Z]{10}$/)
    assert.deepEqual(shown, {
      ...body,
      name: 'Friends',
      avatar: null,
      role: 'owner',
      codeExpiresAt: null,
      codeUsesLeft: null,
      maxMembers: 20,
      allowMemberInvite: false,
      version: 1,
      createdBy: alice.id,
      createdAt: app.clock.time,
      joinedAt: app.clock.time,
    })
    assert.deepEqual(await app.must(200, 'GET', `/groups/${id}`, { token: alice.token }), group)
    assert.deepEqual(await app.must(200, 'GET', '/groups', { token: alice.token }), [group])
  })

  test('[GR2] a group that breaks a rule is refused with the names of the fields', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    const cases: [object, string[]][] = [
      [{}, ['name']],
      [{ name: '  ' }, ['name']],
      [{ name: 'x'.repeat(101) }, ['name']],
      [{ name: 'a\u0000b' }, ['name']],
      [{ name: 'a\ud800b' }, ['name']],
      [{ name: 'x', description: 'x'.repeat(2_001) }, ['description']],
      [{ name: 'x', timezone: 'Mars/Olympus' }, ['timezone']],
      [{ name: 'x', checkInFrequency: 'hourly' }, ['checkInFrequency']],
      [{ name: 'x', id: 'short' }, ['id']],
      [{ name: 'x', accessCode: 'AAAAAAAAAA' }, ['accessCode']],
    ]
    for (const [body, fields] of cases) {
      const error = await app.refused(422, 'input/invalid', 'POST', '/groups', { token, body })
      assert.deepEqual(
        error.details?.issues?.map(({ field }) => field),
        fields,
      )
    }
    await app.refused(401, 'auth/required', 'POST', '/groups', { body: { name: 'x' } })
    await app.refused(401, 'auth/required', 'GET', '/groups')
    await app.refused(401, 'auth/required', 'GET', `/groups/${ID}`)
    await app.refused(401, 'auth/required', 'POST', '/groups/join', { body: { accessCode: 'x' } })
  })

  test('[GR3] to everybody else a group is as unknown as one that does not exist', async () => {
    await using app = await openTestApp()
    const alice = await app.person('alice')
    const { token } = await app.person('mallory')
    const group = await createGroup(app, alice.token)
    const tries = [group.id, ID, 'x'].map((id) =>
      app.refused(404, 'access/not-found', 'GET', `/groups/${id}`, { token }),
    )
    const [forbidden, ...unknown] = await Promise.all(tries)
    for (const answer of unknown) assert.deepEqual(answer, forbidden)
    assert.deepEqual(await app.must(200, 'GET', '/groups', { token }), [])
  })

  test('[GR4] a code lets one in however it is typed, and whoever is in stays what they are', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const { id, accessCode } = await createGroup(app, alice.token)
    const join = (token: string, code: string) =>
      app.must<Group>(200, 'POST', '/groups/join', { token, body: { accessCode: code } })
    const typed = ` ${accessCode.slice(0, 5).toLowerCase()}-${accessCode.slice(5).replaceAll('0', 'o').replaceAll('1', 'l')}`
    const joined = await join(bob.token, typed)
    assert.deepEqual([joined.id, joined.role, joined.accessCode], [id, 'member', null])
    assert.equal((await join(bob.token, accessCode)).role, 'member')
    assert.equal((await join(alice.token, accessCode)).role, 'owner')
    assert.deepEqual(await app.must(200, 'GET', `/groups/${id}`, { token: bob.token }), joined)
  })

  test('[GR5] a code that no group has is unknown, whatever it looks like', async () => {
    await using app = await openTestApp()
    const { token } = await app.person('alice')
    for (const accessCode of ['AAAAAAAAAA', '', 'U', 'a\u0000b', '%']) {
      await app.refused(404, 'group/code-unknown', 'POST', '/groups/join', { token, body: { accessCode } })
    }
    await app.refused(422, 'input/invalid', 'POST', '/groups/join', { token, body: { accessCode: 'A'.repeat(41) } })
  })

  test('[GR6] creating the same group again answers 200 with it; an id that is somebody else’s is taken', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const group = await createGroup(app, alice.token, { id: ID })
    const body = { id: ID, name: 'Friends' }
    assert.deepEqual(await app.must(200, 'POST', '/groups', { token: alice.token, body }), group)
    await app.refused(409, 'id/taken', 'POST', '/groups', { token: bob.token, body })
    const join = { token: bob.token, body: { accessCode: group.accessCode } }
    await app.must(200, 'POST', '/groups/join', join)
    await app.refused(409, 'id/taken', 'POST', '/groups', { token: bob.token, body })
  })

  test('[GR7] one belongs to at most a hundred groups, created or joined', async () => {
    await using app = await openTestApp()
    const [alice, bob] = [await app.person('alice'), await app.person('bob')]
    const { accessCode } = await createGroup(app, bob.token)
    await Promise.all(Array.from({ length: 100 }, () => createGroup(app, alice.token)))
    await app.refused(409, 'group/too-many', 'POST', '/groups', { token: alice.token, body: { name: 'x' } })
    await app.refused(409, 'group/too-many', 'POST', '/groups/join', { token: alice.token, body: { accessCode } })
  })
})
