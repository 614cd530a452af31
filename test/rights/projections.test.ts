// What the server writes out of rows for reading offline: who is in a group and as what, its channels, one's own profile
// and groups.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { CHANNELS, GROUP, type GroupChannel, type GroupMember, MEMBERS } from '../../shared/group/model.ts'
import { PROFILE } from '../../shared/me/model.ts'
import { startOwnServer, startServerProcess } from '../compat/servers.ts'
import { ask, createGroup, joinGroup, login, register } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startOwnTime } from '../helpers/own-time.ts'
import { openHonest } from '../hostile/victim.ts'

const SHOWN_MS_MAX = 1_000
const CRASHES = 5
const CRASHES_MS_MAX = 300_000

test('[RI4] a group’s document shows its name, members, roles and channels within a second of each command', async () => {
  await using server = await startOwnServer()
  using ownTime = startOwnTime()
  const { url, syncUrl } = server
  const owner = await register(url)
  const member = await register(url)
  const group = await createGroup(url, owner)
  const token = owner.accessToken
  const reader = await openHonest({ syncUrl, token, name: `group/${group.id}` })
  const members = reader.doc.getMap<GroupMember>(MEMBERS)
  const channels = reader.doc.getMap<GroupChannel>(CHANNELS)
  let msMax = 0
  const shows = async (what: string, isShown: () => boolean): Promise<void> => {
    const since = ownTime.now()
    await eventually(isShown, (shown) => shown, { msMax: SHOWN_MS_MAX, now: ownTime.now, what })
    msMax = Math.max(msMax, ownTime.now() - since)
  }
  await shows('the group', () => reader.doc.getMap(GROUP).get('name') === 'group')
  await joinGroup(url, member, group)
  await shows('a member who joined', () => members.get(member.id)?.role === 'member')
  await ask(url, 'PUT', `/groups/${group.id}/members/${member.id}`, { token, body: { role: 'moderator' } })
  await shows('a new role', () => members.get(member.id)?.role === 'moderator')
  await ask(url, 'PUT', `/groups/${group.id}`, { token, body: { name: 'Renamed' } })
  await shows('a new name', () => reader.doc.getMap(GROUP).get('name') === 'Renamed')
  const made = await ask(url, 'POST', `/groups/${group.id}/channels`, { token, body: { type: 'CHAT', name: 'Talk' } })
  const { id } = made.data as { id: string }
  await shows('a channel', () => channels.get(id)?.documentName === `chat/${id}/0`)
  await ask(url, 'PUT', '/auth/me', { token: member.accessToken, body: { name: 'Another name' } })
  await shows('a member’s new name', () => members.get(member.id)?.name === 'Another name')
  await ask(url, 'PUT', '/auth/me', { token: member.accessToken, body: { privacy: { profile: 'private' } } })
  await shows('a member who shows no name', () => members.get(member.id)?.name === member.username)
  await ask(url, 'DELETE', `/channels/${id}`, { token })
  await shows('a channel that went', () => !channels.has(id))
  await ask(url, 'DELETE', `/groups/${group.id}/members/${member.id}`, { token })
  await shows('a member who went', () => !members.has(member.id))
  process.stdout.write(`projections: shown ${msMax.toFixed(0)} ms after the answer at most\n`)
  reader.close()
})

test('[RI4] one’s own document shows profile and groups, beside one’s own settings', async () => {
  await using server = await startOwnServer()
  using ownTime = startOwnTime()
  const { url, syncUrl } = server
  const person = await register(url)
  const token = person.accessToken
  const reader = await openHonest({ syncUrl, token, name: `me/${person.id}` })
  const profile = reader.doc.getMap<{ name?: string; role?: string }>(PROFILE)
  const shows = (what: string, isShown: () => boolean) =>
    eventually(isShown, (shown) => shown, { msMax: SHOWN_MS_MAX, now: ownTime.now, what })
  reader.doc.getMap('settings').set('app.theme', 'dark')
  const group = await createGroup(url, person, 'Friends')
  await shows('a group', () => profile.get(`group.${group.id}`)?.role === 'owner')
  await ask(url, 'PUT', '/auth/me', { token, body: { name: 'Another name' } })
  await shows('a name', () => profile.get('user')?.name === 'Another name')
  await ask(url, 'DELETE', `/groups/${group.id}`, { token })
  await shows('no group', () => !profile.has(`group.${group.id}`))
  const { data } = await ask(url, 'GET', `/documents/me/${person.id}`, { token })
  assert.deepEqual((data as { settings: unknown }).settings, { 'app.theme': 'dark' })
  reader.close()
})

test('[RI4] a crash between a command and its projection loses nothing', { timeout: CRASHES_MS_MAX }, async () => {
  await using server = await startServerProcess()
  let owner = await register(server.url)
  const group = await createGroup(server.url, owner)
  for (let crash = 0; crash < CRASHES; crash++) {
    const name = `Name ${crash}`
    await ask(server.url, 'PUT', `/groups/${group.id}`, { token: owner.accessToken, body: { name } })
    await server.stop('SIGKILL')
    await server.start()
    owner = await login(server.url, owner)
    const reader = await openHonest({ syncUrl: server.syncUrl, token: owner.accessToken, name: `group/${group.id}` })
    await eventually(
      () => reader.doc.getMap(GROUP).get('name'),
      (shown) => shown === name,
      { what: 'the name of before the crash' },
    )
    reader.close()
  }
})
