// Documents over HTTP: the three formats, replacing, and versions from the first to a restored one.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { parseDocumentName } from '../../shared/names.ts'
import { AUTOMATIC_VERSION_MS } from '../../shared/limits.ts'
import { newBudget, readRuns } from '../../shared/document/read.ts'
import { planRestore } from '../../shared/document/restore.ts'
import { readAs } from '../../shared/document/formats.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { openTestApp, type TestApp } from '../http/test-app.ts'
import { merge, put, replicaOf, someTree } from './trees.ts'

interface Version {
  readonly id: string
  readonly label: string | null
  readonly automatic: boolean
  readonly createdBy: string | null
  readonly markdown?: string
}

/** A group with a DOC channel, its owner, a guest in it, and somebody who is not. */
const openDocument = async (app: TestApp) => {
  const [ada, guest, stranger] = [await app.person('ada'), await app.person('guest'), await app.person('eve')]
  const { token } = ada
  const group = await app.must<{ id: string; accessCode: string }>(201, 'POST', '/groups', {
    token,
    body: { name: 'G' },
  })
  await app.must(200, 'POST', '/groups/join', { token: guest.token, body: { accessCode: group.accessCode } })
  await app.storage.db.updateTable('membership').set({ role: 'guest' }).where('user_id', '=', guest.id).execute()
  const body = { type: 'DOC', name: 'Notes' }
  const channel = await app.must<{ id: string; documentName: string }>(201, 'POST', `/groups/${group.id}/channels`, {
    token,
    body,
  })
  const path = `/documents/document/${channel.id}`
  return {
    path,
    name: channel.documentName,
    ada,
    guest,
    stranger,
    replace: (input: object, at = path) =>
      app.must(200, 'POST', `${at}/operations/document.replace`, { token, body: input }),
    markdown: async (at = path): Promise<string> =>
      (await app.must<{ markdown: string }>(200, 'GET', `${at}?format=markdown`, { token })).markdown,
    save: (label: string, at = path) => app.must<Version>(201, 'POST', `${at}/versions`, { token, body: { label } }),
    list: async (at = path): Promise<Version[]> =>
      (await app.must<{ versions: Version[] }>(200, 'GET', `${at}/versions`, { token })).versions,
  }
}

test('[DR12] a document is replaced and read over HTTP in all three formats; its record’s texts too', async () => {
  await using app = await openTestApp()
  const { path, ada, guest, stranger, replace, markdown } = await openDocument(app)
  await replace({ markdown: '# Hi\n\n*there*\n' })
  assert.equal(await markdown(), '# Hi\n\n*there*\n'.replaceAll('*', '_'))
  const { token } = guest
  const html = await app.must(200, 'GET', `${path}?format=html`, { token })
  assert.deepEqual(html, { root: 'default', html: '<h1>Hi</h1><p><em>there</em></p>' })
  const plain = await app.must<{ json: { content: object[] } }>(200, 'GET', path, { token })
  assert.deepEqual(await app.must(200, 'GET', `${path}?format=json`, { token }), plain)
  await replace({ json: { type: 'doc', content: plain.json.content.slice(1) } })
  assert.equal(await markdown(), '_there_\n')
  await replace({ markdown: 'a card' }, `${path}/card-0000000001`)
  assert.equal(await markdown(`${path}/card-0000000001`), 'a card\n')
  assert.equal(await markdown(), '_there_\n')

  await app.refused(422, 'input/invalid', 'GET', `${path}?format=pdf`, { token })
  await app.refused(404, 'access/not-found', 'GET', `${path}?format=html`, { token: stranger.token })
  const asking = { token, body: { markdown: 'mine' } }
  await app.refused(403, 'access/forbidden', 'POST', `${path}/operations/document.replace`, asking)
  await app.refused(422, 'input/invalid', 'POST', `${path}/operations/document.replace`, { token: ada.token, body: {} })
  assert.equal(await markdown(), '_there_\n')
})

test('[VE4] a named version is what the document was, in every format, whatever is written later', async () => {
  await using app = await openTestApp()
  const { path, ada, guest, replace, save, list } = await openDocument(app)
  await replace({ markdown: 'first' })
  const first = await save('Draft')
  assert.deepEqual(
    { ...first, createdAt: 0 },
    { id: first.id, label: 'Draft', automatic: false, createdBy: ada.id, createdAt: 0 },
  )
  await replace({ markdown: 'second' })
  const again = await app.must(200, 'POST', `${path}/versions`, {
    token: ada.token,
    body: { id: first.id, label: 'x' },
  })
  assert.deepEqual(again, first)
  app.clock.time += 1
  const second = await save('Final')
  assert.deepEqual(
    (await list()).map(({ label }) => label),
    ['Final', 'Draft'],
  )
  const { token } = guest
  for (const [format, content] of [
    ['markdown', 'first\n'],
    ['html', '<p>first</p>'],
    ['json', { type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text: 'first' }] }] }],
  ] as const) {
    const read = await app.must(200, 'GET', `${path}/versions/${first.id}?format=${format}`, { token })
    assert.deepEqual(read, { ...first, root: 'default', [format]: content })
  }
  const older = await app.must<{ versions: Version[] }>(200, 'GET', `${path}/versions?before=${second.id}`, { token })
  assert.deepEqual(
    older.versions.map(({ id }) => id),
    [first.id],
  )
})

test('[VE5] versions are listed by readers, made and restored by writers, unknown to others, and of documents only', async () => {
  await using app = await openTestApp()
  const { path, ada, guest, stranger, replace, save, list } = await openDocument(app)
  await replace({ markdown: 'first' })
  const { id } = await save('Draft')
  for (const [method, at, asking] of [
    ['POST', `${path}/versions`, { body: { label: 'x' } }],
    ['POST', `${path}/versions/${id}/restore`, {}],
  ] as const) {
    await app.refused(403, 'access/forbidden', method, at, { token: guest.token, ...asking })
    await app.refused(404, 'access/not-found', method, at, { token: stranger.token, ...asking })
    await app.refused(401, 'auth/required', method, at, asking)
  }
  await app.refused(404, 'access/not-found', 'GET', `${path}/versions`, { token: stranger.token })
  await app.refused(404, 'access/not-found', 'GET', `${path}/versions/${id}`, { token: stranger.token })
  const { token } = ada
  await app.refused(404, 'record/not-found', 'GET', `${path}/versions/no-such-version`, { token })
  await app.refused(404, 'record/not-found', 'GET', `${path}/card-0000000001/versions/${id}`, { token })
  await app.refused(404, 'record/not-found', 'POST', `${path}/versions/no/restore`, { token })
  await app.refused(404, 'operation/unknown', 'GET', `${path.replace('document/', 'tasks/')}/versions`, { token })
  await app.refused(422, 'input/invalid', 'POST', `${path}/versions`, { token, body: { label: '' } })
  assert.equal((await list()).length, 1)
  assert.deepEqual(await list(`${path}/card-0000000001`), [])
})

test('[VE6] restoring saves what was there, writes what differs, and can itself be undone by restoring', async () => {
  await using app = await openTestApp()
  const { path, name, ada, replace, markdown, save, list } = await openDocument(app)
  await replace({ markdown: '# One\n\nkeep\n\nold' })
  const { id } = await save('Draft')
  const offline = await app.sync.withDocument(name, replicaOf)
  await replace({ markdown: '# Two\n\nkeep\n\nnew' })
  const keep = offline.getXmlFragment('default').get(1) as Y.XmlElement
  ;(keep.get(0) as Y.XmlText).insert(4, ' this')
  const restored = await app.must<{ restored: Version; saved: Version }>(
    200,
    'POST',
    `${path}/versions/${id}/restore`,
    {
      token: ada.token,
    },
  )
  assert.equal(restored.restored.id, id)
  assert.equal(await markdown(), '# One\n\nkeep\n\nold\n')
  const now = await app.sync.withDocument(name, replicaOf)
  merge(now, offline)
  assert.equal(readAs(now, 'markdown')['markdown'], '# One\n\nkeep this\n\nold\n')

  const saved = (await list()).find(({ automatic }) => automatic)
  assert.equal(saved?.id, restored.saved.id)
  await app.must(200, 'POST', `${path}/versions/${saved?.id}/restore`, { token: ada.token })
  assert.equal(await markdown(), '# Two\n\nkeep\n\nnew\n')
})

test('[VE7] after ten minutes of work a version is there by itself, once, and none while nobody writes', async () => {
  await using app = await openTestApp()
  const { replace, list, path, name } = await openDocument(app)
  await replace({ markdown: 'first' })
  await app.versions.sweep()
  assert.deepEqual(await list(), [])
  app.clock.time += AUTOMATIC_VERSION_MS - 1
  await replace({ markdown: 'second' })
  await app.versions.sweep()
  assert.deepEqual(await list(), [])
  app.clock.time += 1
  await Promise.all([app.versions.sweep(), app.versions.sweep()])
  const [first, ...others] = await list()
  assert.deepEqual([first?.automatic, first?.label, first?.createdBy, others.length], [true, null, null, 0])
  const token = (await app.person('bob')).token
  await app.refused(404, 'access/not-found', 'GET', `${path}/versions/${first?.id}`, { token })
  app.clock.time += 3 * AUTOMATIC_VERSION_MS
  await app.versions.sweep()
  assert.equal((await app.versions.list(parseDocumentName(name).name)).length, 1)
})

test('[VE8] any state can be restored exactly, whatever roots it has and whatever came since', () => {
  const random = createRandom(chooseSeed())
  process.stdout.write(`restoring: SEED=${random.seed}\n`)
  const all = (doc: Y.Doc): unknown => [
    readAs(doc, 'json', 'default'),
    readRuns(doc.getText('text'), newBudget()),
    doc.getMap('meta').toJSON(),
    doc.getArray('list').toJSON(),
  ]
  const change = (doc: Y.Doc): void => {
    put(doc, { json: { type: 'doc', content: someTree(random) }, root: 'default' })
    const text = doc.getText('text')
    text.insert(
      random.int(0, text.length),
      random.pick(['one ', 'two\n', '😀']),
      random.chance(0.5) ? { bold: true } : {},
    )
    if (random.chance(0.3)) text.delete(0, random.int(0, text.length))
    const meta = doc.getMap<unknown>('meta')
    meta.set(
      random.pick(['a', 'b']),
      random.pick([1, 'x', new Uint8Array([random.int(0, 9)]), new Y.Map([['deep', random.int(0, 9)]])]),
    )
    if (random.chance(0.3)) meta.delete(random.pick(['a', 'b']))
    doc.getArray<unknown>('list').insert(0, [random.int(0, 9), { x: random.int(0, 9) }])
    if (random.chance(0.5)) doc.getArray('list').delete(0, 1)
  }
  for (let run = 0; run < 100; run++) {
    const doc = new Y.Doc()
    change(doc)
    if (random.chance(0.5)) change(doc)
    const version = replicaOf(doc)
    const wanted = all(version)
    for (let more = random.int(0, 3); more > 0; more--) change(doc)
    const server = replicaOf(doc)
    server.transact(planRestore(server, replicaOf(version)))
    assert.deepEqual(all(server), wanted)
    let updates = 0
    server.on('update', () => updates++)
    server.transact(planRestore(server, replicaOf(version)))
    assert.equal(updates, 0)
  }
})

test('[VE9] while the database refuses versions, the document goes on, and the version comes with a later sweep', async () => {
  await using app = await openTestApp()
  const { replace, list, name } = await openDocument(app)
  await replace({ markdown: 'first' })
  app.clock.time += AUTOMATIC_VERSION_MS
  await app.storage.db.schema.alterTable('document_version').renameTo('away').execute()
  await app.versions.sweep()
  assert.ok(app.logLines.some((line) => line.includes('version.failed') && line.includes(name)))
  await replace({ markdown: 'second' })
  await app.storage.db.schema.alterTable('away').renameTo('document_version').execute()
  await app.versions.sweep()
  assert.equal((await list()).length, 1)
})
