// What commands on groups change for those who have documents open: their own list of groups, and what links open.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { readMe } from '../../shared/me/model.ts'
import { startOwnServer } from '../compat/servers.ts'
import { ask, createDocument, createGroup, register } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { startOwnTime } from '../helpers/own-time.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { openHonest } from '../hostile/victim.ts'

const SECOND_MS = 1_000

test('[GR32] whose list of groups a command changes finds it in their own document within a second', async () => {
  await using server = await startOwnServer()
  using ownTime = startOwnTime()
  const { url, syncUrl } = server
  const [owner, person] = [await register(url), await register(url)]
  const { id } = await createGroup(url, owner)
  const path = `/groups/${id}`
  const reader = await openHonest({ syncUrl, token: person.accessToken, name: `me/${person.id}` })
  const shown = () => readMe(reader.doc).groups[id] as { name: string; role: string } | undefined
  let msMax = 0
  const run = async (
    what: string,
    [method, at, by, body]: readonly [method: string, path: string, by: { accessToken: string }, body?: object],
    isShown: () => boolean,
  ): Promise<unknown> => {
    const answer = await ask(url, method, at, { token: by.accessToken, body })
    assert.ok(answer.status < 300, `${what}: ${answer.status} ${answer.code}`)
    const since = ownTime.now()
    await eventually(isShown, Boolean, { msMax: SECOND_MS, now: ownTime.now, what })
    msMax = Math.max(msMax, ownTime.now() - since)
    return answer.data
  }
  const user = { userId: person.id }
  const isGone = () => shown() === undefined
  await run('added', ['POST', `${path}/members`, owner, user], () => shown()?.role === 'member')
  await run(
    'promoted',
    ['PUT', `${path}/members/${person.id}`, owner, { role: 'admin' }],
    () => shown()?.role === 'admin',
  )
  await run('renamed', ['PUT', path, owner, { name: 'Renamed' }], () => shown()?.name === 'Renamed')
  await run('deleted', ['DELETE', path, owner], isGone)
  await run('restored', ['POST', `${path}/restore`, owner], () => shown()?.role === 'admin')
  await run('left', ['POST', `${path}/leave`, person], isGone)
  const invite = await run('invited', ['POST', `${path}/invites`, owner, user], isGone)
  const accept = `/invites/${(invite as { id: string }).id}/accept`
  await run('accepted', ['POST', accept, person], () => shown()?.role === 'member')
  await run(
    'handed over',
    ['PUT', `${path}/members/${person.id}`, owner, { role: 'owner' }],
    () => shown()?.role === 'owner',
  )
  await run(
    'handed back',
    ['PUT', `${path}/members/${owner.id}`, person, { role: 'owner' }],
    () => shown()?.role === 'admin',
  )
  await run('removed', ['DELETE', `${path}/members/${person.id}`, owner], isGone)
  const direct = () =>
    Object.values(readMe(reader.doc).groups).some((group) => (group as { kind: string }).kind === 'direct')
  await run('written to', ['POST', '/direct', owner, user], direct)
  process.stdout.write(`lists of groups: shown ${msMax.toFixed(0)} ms after the answer at most\n`)
  reader.close()
})

test('[GR33] whoever has a document open by a link loses it with its channel and with its group, within a second', async () => {
  await using server = await startOwnServer()
  using ownTime = startOwnTime()
  const { url, syncUrl } = server
  const owner = await register(url)
  const token = owner.accessToken
  for (const what of ['channel', 'group']) {
    const group = await createGroup(url, owner)
    const name = await createDocument(url, owner, group)
    const { data } = await ask(url, 'POST', `/documents/${name}/shares`, { token, body: { role: 'member' } })
    const client = await connectWire(syncUrl)
    const document = await client.open(name, (data as { token: string }).token)
    const [, channelId] = name.split('/')
    const path = what === 'channel' ? `/channels/${channelId}` : `/groups/${group.id}`
    assert.equal((await ask(url, 'DELETE', path, { token })).status, 204)
    const codes = () => document.stateless.map((message) => (message as { code?: string }).code)
    await eventually(codes, (seen) => seen.includes('revoked/session'), {
      msMax: SECOND_MS,
      now: ownTime.now,
      what: `word of the ${what}`,
    })
    client.close()
  }
})
