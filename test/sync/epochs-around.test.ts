// What leans on documents beside those who write them, after an epoch: versions that are restored, groups and who is in them,
// and the server's own client ids.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { CLIENT_ID_MAX, PROCESS_CLIENT_ID_MIN } from '../../shared/limits.ts'
import { loadEpoch, NOBODY } from '../../storage/epochs.ts'
import { startOwnServer } from '../compat/servers.ts'
import { createTeam, joinGroup, register } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { openTestApp } from '../http/test-app.ts'
import { openPresence } from './presence-people.ts'

test('[VE6] a version made before epochs is read and restored after them, and so is what was saved then', async () => {
  await using app = await openTestApp()
  const { token } = await app.person('ada')
  const group = await app.must<{ id: string }>(201, 'POST', '/groups', { token, body: { name: 'G' } })
  const body = { type: 'DOC', name: 'Notes' }
  const made = await app.must<{ id: string; documentName: string }>(201, 'POST', `/groups/${group.id}/channels`, {
    token,
    body,
  })
  const path = `/documents/document/${made.id}`
  const replace = (markdown: string) =>
    app.must(200, 'POST', `${path}/operations/document.replace`, { token, body: { markdown } })
  const read = async (at = path): Promise<string> =>
    (await app.must<{ markdown: string }>(200, 'GET', `${at}?format=markdown`, { token })).markdown
  const restore = async (id: string): Promise<string> =>
    (await app.must<{ saved: { id: string } }>(200, 'POST', `${path}/versions/${id}/restore`, { token })).saved.id
  const begin = async (): Promise<void> => {
    await eventually(() => app.sync.startEpoch(made.documentName), Boolean, { what: 'a new epoch' })
  }
  await replace('# One\n\nkeep\n\nold')
  const { id } = await app.must<{ id: string }>(201, 'POST', `${path}/versions`, { token, body: { label: 'Draft' } })
  await replace('# Two\n\nkeep\n\nnew')
  await begin()
  assert.equal(await read(`${path}/versions/${id}`), '# One\n\nkeep\n\nold\n')
  const saved = await restore(id)
  assert.equal(await read(), '# One\n\nkeep\n\nold\n')
  await begin()
  await begin()
  await restore(saved)
  assert.equal(await read(), '# Two\n\nkeep\n\nnew\n')
  await restore(id)
  assert.equal(await read(), '# One\n\nkeep\n\nold\n')
  assert.equal((await loadEpoch(app.storage, made.documentName)).epoch, 3)
})

test('[EP7] a group is kept up to date after an epoch, and who is in it is shown once', async () => {
  await using server = await startOwnServer()
  const { people, group } = await createTeam(server.url, 2)
  const name = `group/${group.id}`
  const open = () => Promise.all(people.map((person) => openPresence(server, person, group)))
  for (let epoch = 1; epoch < 3; epoch++) {
    const here = await open()
    for (const { presence } of here) presence.announce({})
    const seen = () => here.map(({ presence }) => presence.people().map(({ devices }) => devices.length))
    await eventually(seen, (shown) => shown.every((devices) => devices.length === 2 && devices.every((n) => n === 1)), {
      what: 'both, once each',
    })
    const members = () => server.sync.withDocument(name, (doc) => doc.getMap('members').size)
    await eventually(members, (size) => size === epoch + 1, { what: 'the members in the document' })
    const begun = server.sync.startEpoch(name)
    // Somebody joins while it is made: what is written of it waits.
    const member = await register(server.url)
    await joinGroup(server.url, member, group)
    assert.equal(await begun, true)
    await eventually(() => server.sync.withDocument(name, (doc) => doc.getMap('members').has(member.id)), Boolean, {
      what: 'the new member',
    })
    for (const { close } of here) close()
  }
  assert.equal((await loadEpoch(server.storage, name)).epoch, 2)
})

test('[EP4] an epoch that would leave the server no id of its own is not begun', async () => {
  await using server = await startOwnServer()
  const { newDocument } = await createTeam(server.url, 1)
  const name = await newDocument()
  const own = await server.sync.withDocument(name, (doc) => {
    doc.getArray('edits').push(['a'])
    return doc.clientID
  })
  const { db } = server.storage
  const { id } = await db.selectFrom('document').select('id').where('name', '=', name).executeTakeFirstOrThrow()
  const ids = Array.from(
    { length: CLIENT_ID_MAX - PROCESS_CLIENT_ID_MIN + 1 },
    (_, index) => PROCESS_CLIENT_ID_MIN + index,
  )
  const rows = ids
    .filter((clientId) => clientId !== own)
    .map((clientId) => ({ document_id: id, client_id: clientId, user_id: NOBODY }))
  await db.insertInto('client_claim').values(rows).execute()
  assert.equal(await server.sync.startEpoch(name), false)
  await server.sync.withDocument(name, (doc) => doc.getArray('edits').push(['b']))
  assert.deepEqual(await server.sync.withDocument(name, (doc) => doc.getArray('edits').toArray()), ['a', 'b'])
})
