// What honest clients send, however odd it looks, is accepted and applied wholly (design 4.2): collected history,
// repeats, overlaps, dependencies in any block, every shared type, large first imports.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { judge } from '../../server/sync/verdict.ts'
import { ALL_MINE, applyAccepted, factsOf, readingsOf } from './judging.ts'

/** The server's doc after each update was judged; all must be accepted or known. */
const serve = (server: Y.Doc, ...updates: readonly Uint8Array[]): string[] =>
  updates.map((update) => {
    const verdict = judge(factsOf(server, { claims: ALL_MINE }), update)
    assert.ok(verdict.verdict === 'accept' || verdict.verdict === 'known', JSON.stringify(verdict))
    if (verdict.verdict === 'accept') applyAccepted(server, verdict.update)
    return verdict.verdict
  })

const everything = (doc: Y.Doc): Uint8Array => Y.encodeStateAsUpdate(doc)

/** The updates that `change` makes. */
const updatesOf = (doc: Y.Doc, change: () => void): Uint8Array[] => {
  const updates: Uint8Array[] = []
  const listen = (update: Uint8Array): void => void updates.push(update)
  doc.on('update', listen)
  change()
  doc.off('update', listen)
  return updates
}

const SHARED_TYPES: Record<string, (doc: Y.Doc) => void> = {
  'text with formats and embeds': (doc) => {
    const text = doc.getText('t')
    text.insert(0, 'one two 😀👩‍👩‍👧')
    text.format(0, 3, { bold: true, link: { href: 'https://example.org' } })
    text.format(1, 1, { bold: null })
    text.insertEmbed(2, { image: 'x', size: [1, 2] })
    text.applyDelta([{ retain: 2 }, { delete: 2 }, { insert: 'é', attributes: { italic: true } }])
  },
  'XML as editors write it': (doc) => {
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.setAttribute('class', 'wide')
    doc.getXmlFragment('default').insert(0, [paragraph, new Y.XmlText('loose')])
    const text = new Y.XmlText('inside')
    paragraph.insert(0, [text, new Y.XmlElement('br')])
    text.format(0, 2, { strong: {} })
    paragraph.removeAttribute('class')
    doc.getXmlFragment('default').delete(1, 1)
  },
  'maps and arrays in each other': (doc) => {
    const map = doc.getMap('m')
    map.set('list', Y.Array.from([1, 'two', null, { three: [3] }]))
    map.set('map', new Y.Map([['k', new Uint8Array([1, 2, 3])]]))
    map.set('list', new Y.Text('instead'))
    map.delete('map')
    doc.getArray('a').insert(0, [new Y.Map(), true, -1.5])
  },
  'binary and odd values': (doc) => {
    doc.getMap('m').set('bytes', new Uint8Array(1000))
    doc
      .getMap('m')
      .set('any', { inner: new Uint8Array([255]), big: 2n ** 60n, none: undefined, far: 2 ** 52, less: -(2 ** 40) })
  },
  'subdocuments with and without options': (doc) => {
    doc.getMap('m').set('plain', new Y.Doc({ guid: 'plain' }))
    doc.getMap('m').set('auto', new Y.Doc({ guid: 'auto', autoLoad: true, gc: false, meta: { title: ['x'] } }))
    doc.getMap('m').delete('plain')
  },
  'one key overwritten 500 times': (doc) => {
    for (let i = 0; i < 500; i++) doc.getMap('m').set('k', i)
  },
}

describe('honest updates', () => {
  for (const [title, write] of Object.entries(SHARED_TYPES)) {
    test(`[HF6] ${title}: each update, the whole state, and their merge are accepted`, () => {
      const doc = new Y.Doc()
      const updates = updatesOf(doc, () => write(doc))
      for (const sent of [updates, [everything(doc)], [Y.mergeUpdates(updates)]]) {
        const server = new Y.Doc()
        serve(server, ...sent, ...sent)
        assert.deepEqual(readingsOf(server), readingsOf(doc))
      }
    })
  }

  test('[HF6] history that the author has deleted and collected is accepted', () => {
    const doc = new Y.Doc()
    doc.getMap('m').set('type', new Y.Map([['deep', new Y.Text('gone')]]))
    doc.getText('t').insert(0, 'gone too')
    doc.getMap('m').delete('type')
    doc.getText('t').delete(0, 8)
    doc.getText('t').insert(0, 'stays')
    const kinds = Y.decodeUpdate(everything(doc)).structs.map((struct) => struct.constructor.name)
    assert.ok(kinds.includes('GC'), `no collected run in ${kinds.join()}`)
    const server = new Y.Doc()
    assert.deepEqual(serve(server, everything(doc), everything(doc)), ['accept', 'known'])
    assert.deepEqual(readingsOf(server), readingsOf(doc))
  })

  test('[HF6] text typed into a paragraph that was deleted and collected meanwhile is accepted', () => {
    const alice = new Y.Doc()
    const text = new Y.XmlText('a paragraph')
    alice.getXmlFragment('x').insert(0, [text])
    const bob = new Y.Doc()
    Y.applyUpdate(bob, everything(alice))
    const server = new Y.Doc()
    serve(server, everything(alice))
    serve(server, ...updatesOf(alice, () => alice.getXmlFragment('x').delete(0, 1)))
    const typed = updatesOf(bob, () => {
      const same = bob.getXmlFragment('x').get(0) as Y.XmlText
      same.insert(3, 'late ')
      same.insert(0, '>')
      same.format(0, 4, { bold: true })
    })
    assert.deepEqual(
      serve(server, ...typed),
      typed.map(() => 'accept'),
    )
    Y.applyUpdate(bob, everything(server))
    assert.deepEqual(readingsOf(server), readingsOf(bob))
  })

  test('[HF6] dependencies that come later in the same update, across clients, are accepted', () => {
    const docs = [900, 20, 500, 1].map((clientId) => Object.assign(new Y.Doc(), { clientID: clientId }))
    for (let round = 0; round < 12; round++) {
      const doc = docs[round % docs.length] as Y.Doc
      doc.getText('t').insert(round % 3 ? 0 : doc.getText('t').length, `${round} `)
      for (const next of docs) Y.applyUpdate(next, everything(doc))
    }
    const server = new Y.Doc()
    assert.deepEqual(serve(server, everything(docs[0] as Y.Doc)), ['accept'])
    assert.deepEqual(readingsOf(server), readingsOf(docs[1] as Y.Doc))
  })

  test('[HF6] old updates sent again, partly known ones, and differences are accepted or known', () => {
    const doc = new Y.Doc()
    const updates = updatesOf(doc, () => {
      for (let i = 0; i < 40; i++) doc.getText('t').insert(doc.getText('t').length, `${i} 😀`)
      doc.getText('t').delete(3, 20)
    })
    const server = new Y.Doc()
    serve(server, Y.mergeUpdates(updates.slice(0, 10)))
    const half = Y.encodeStateVectorFromUpdate(Y.mergeUpdates(updates.slice(0, 5)))
    assert.deepEqual(serve(server, Y.mergeUpdates(updates.slice(5, 20))), ['accept'])
    assert.deepEqual(serve(server, Y.diffUpdate(everything(doc), half)), ['accept'])
    assert.deepEqual(
      serve(server, ...updates),
      updates.map(() => 'known'),
    )
    assert.deepEqual(readingsOf(server), readingsOf(doc))
  })

  test('[HF6] the whole delete set repeated at every sync is known, also for a reader', () => {
    const doc = new Y.Doc()
    for (let i = 0; i < 800; i++) doc.getText('t').insert(0, 'ab')
    for (let i = 0; i < 400; i++) doc.getText('t').delete(i * 2, 1)
    const server = new Y.Doc()
    serve(server, everything(doc))
    const sync = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(server))
    assert.ok(sync.length > 500, `${sync.length} bytes`)
    const verdict = judge(factsOf(server, { claims: ALL_MINE, readOnly: true }), sync)
    assert.deepEqual(verdict, { verdict: 'known' })
  })

  test('[HF6] a document without collection (version history) is accepted whole', () => {
    const doc = new Y.Doc({ gc: false })
    const array = doc.getArray<number>('a')
    for (let i = 0; i < 4_000; i++) array.push([i])
    for (let i = 0; i < 2_000; i++) array.delete(i, 1)
    const server = new Y.Doc()
    assert.deepEqual(serve(server, everything(doc)), ['accept'])
    assert.deepEqual(readingsOf(server), readingsOf(doc))
  })

  test('[HF6] a first import of 10,000 messages, each a map, is accepted in one update', () => {
    const doc = new Y.Doc()
    doc.transact(() => {
      for (let i = 0; i < 10_000; i++) {
        const message = new Y.Map<unknown>(
          Object.entries({
            id: `message-${i}`,
            by: 'somebody',
            sentAt: 1.7e12 + i,
            body: `${'lorem ipsum '.repeat(12)}${i}`,
          }),
        )
        doc.getArray('messages').push([message])
      }
    })
    const update = everything(doc)
    const startedAt = performance.now()
    const server = new Y.Doc()
    const verdict = judge(factsOf(server, { claims: ALL_MINE }), update)
    const judgedAt = performance.now()
    assert.equal(verdict.verdict, 'accept')
    Y.applyUpdate(server, update)
    process.stdout.write(
      `import of ${(update.length / 2 ** 20).toFixed(1)} MiB: judged in ${(judgedAt - startedAt).toFixed(0)} ms, applied in ${(performance.now() - judgedAt).toFixed(0)} ms\n`,
    )
    assert.ok(update.length > 2.2 * 2 ** 20)
    assert.equal(server.getArray('messages').length, 10_000)
  })

  test('[HF6] a document rejoined with 25,000 scattered deletes is accepted', () => {
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'x'.repeat(100_000))
    const server = new Y.Doc()
    serve(server, everything(doc))
    doc.getText('t').applyDelta(Array.from({ length: 25_000 }, () => [{ retain: 2 }, { delete: 1 }]).flat())
    const update = everything(doc)
    const startedAt = performance.now()
    const verdict = judge(factsOf(server, { claims: ALL_MINE }), update)
    assert.equal(verdict.verdict, 'accept')
    Y.applyUpdate(server, update)
    process.stdout.write(`25,000 deletes in ${(performance.now() - startedAt).toFixed(0)} ms\n`)
    assert.equal(server.getText('t').length, 75_000)
  })
})
