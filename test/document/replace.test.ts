// `document.replace`: what it writes, what it leaves alone, and what it refuses.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { yXmlFragmentToProsemirrorJSON } from 'y-prosemirror'
import * as Y from 'yjs'
import { readAs } from '../../shared/document/formats.ts'
import { joinTexts, type TreeNode } from '../../shared/document/tree.ts'
import { REPLACE_BYTES_MAX, ROOTS_MAX } from '../../shared/limits.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { merge, paragraph, put, replicaOf, someTree } from './trees.ts'

const RUNS = 150
const random = createRandom(chooseSeed())
process.stdout.write(`document.replace: SEED=${random.seed}\n`)

/** As y-prosemirror hands it to an editor, which sorts marks and joins texts itself. */
const seenByEditors = (doc: Y.Doc): unknown =>
  JSON.parse(JSON.stringify(yXmlFragmentToProsemirrorJSON(doc.getXmlFragment('default'))), (key, value: unknown) => {
    if (key === 'marks') return (value as { type: string }[]).toSorted((a, b) => (a.type < b.type ? -1 : 1))
    return key === 'content' ? joinTexts(value as TreeNode[]) : value
  })

const docOf = (...content: readonly object[]) => ({ type: 'doc', content })

describe('what it writes', () => {
  test('[RP1] after a replacement any document reads as what was put in, and as y-prosemirror reads it', () => {
    for (let run = 0; run < RUNS; run++) {
      const doc = new Y.Doc()
      for (let time = 0; time < 3; time++) {
        const json = docOf(...someTree(random))
        put(doc, { json })
        const html = readAs(doc, 'html')['html'] as string
        const source = new Y.Doc()
        put(source, { json })
        assert.equal(html, readAs(source, 'html')['html'])
        assert.deepEqual(seenByEditors(doc), seenByEditors(source))
        put(doc, { html: readAs(source, 'html')['html'] as string })
      }
    }
  })

  test('[RP2] a replacement by the same content, in any format, makes no update', () => {
    for (let run = 0; run < RUNS; run++) {
      const doc = new Y.Doc()
      put(doc, { json: docOf(...someTree(random)) })
      for (const format of ['json', 'markdown', 'html'] as const) {
        const content = readAs(doc, format)[format]
        assert.deepEqual(put(doc, { [format]: content }), [], format)
      }
    }
  })
})

/** Sentences that have hardly a word in common. */
const sentence = (random: Random, words = 100_000): string =>
  Array.from({ length: random.int(3, 8) }, () => `w${random.int(1, words)}`).join(' ')

/** Types a word that is nowhere else into a paragraph. */
const typeIn = (doc: Y.Doc, index: number, word: string, random: Random): void => {
  const text = (doc.getXmlFragment('default').get(index) as Y.XmlElement).get(0) as Y.XmlText
  text.insert(random.int(0, text.length), ` ${word} `)
}

describe('edits made meanwhile', () => {
  test('[RP3] an offline edit of one paragraph and a replacement that changes others are both there afterwards', () => {
    for (let run = 0; run < RUNS; run++) {
      const sentences = Array.from({ length: random.int(3, 12) }, () => sentence(random))
      const server = new Y.Doc()
      put(server, { markdown: sentences.join('\n\n') })
      const offline = replicaOf(server)
      const edited = random.int(0, sentences.length - 1)
      const word = `typed${random.int(0, 999_999)}`
      typeIn(offline, edited, word, random)

      // Around it paragraphs are changed, added and taken away.
      const replaced = sentences.flatMap((old, index) => {
        if (index === edited || random.chance(0.4)) return [old]
        const kind = random.int(0, 2)
        if (kind === 0) return []
        return kind === 1 ? [sentence(random), old] : [`${old} changed`]
      })
      put(
        server,
        random.chance(0.5) ? { markdown: replaced.join('\n\n') } : { html: `<p>${replaced.join('</p><p>')}</p>` },
      )
      merge(server, offline)
      const [ours, theirs] = [server, offline].map((doc) => readAs(doc, 'markdown')['markdown'] as string)
      assert.equal(ours, theirs)
      const paragraphs = (ours as string).trim().split('\n\n')
      const withWord = paragraphs.filter((text) => text.includes(word))
      const without = (text: string): string => text.replace(word, '').replaceAll(/\s/g, '')
      assert.deepEqual(withWord.map(without), [without(sentences[edited] as string)])
      assert.deepEqual(paragraphs.map(without), replaced.map(without))
    }
  })

  test('[RP4] an offline edit of one line of a text, and a replacement that changes others, are both there afterwards', () => {
    for (let run = 0; run < RUNS; run++) {
      const lines = Array.from({ length: random.int(20, 60) }, () => sentence(random, 8))
      const server = new Y.Doc()
      server.getText('text').insert(0, lines.join('\n'))
      const offline = replicaOf(server)
      const edited = random.int(0, lines.length - 1)
      const at = lines.slice(0, edited).join('\n').length + (edited > 0 ? 1 : 0)
      offline.getText('text').insert(at + random.int(1, (lines[edited] as string).length - 1), 'TYPED')
      const replaced = lines.map((line, index) => (index === edited || random.chance(0.5) ? line : sentence(random, 8)))
      put(server, { markdown: replaced.join('\n') })
      merge(server, offline)
      const text = server.getText('text').toJSON()
      assert.equal(text.replace('TYPED', ''), replaced.join('\n'))
      assert.ok(text.split('\n')[edited]?.includes('TYPED'), text)
    }
  })

  test('[RP5] a replacement of one word is an update of a few bytes, however long the document', () => {
    const doc = new Y.Doc()
    const paragraphs = Array.from({ length: 2_000 }, () => sentence(random))
    put(doc, { markdown: paragraphs.join('\n\n') })
    paragraphs[700] += ' changed'
    paragraphs[1_400] = `changed ${paragraphs[1_400]}`
    paragraphs.unshift('a new first one')
    const updates = put(doc, { markdown: paragraphs.join('\n\n') })
    assert.equal(updates.length, 1)
    assert.ok((updates[0]?.byteLength ?? 0) < 150, `${updates[0]?.byteLength} bytes`)
  })
})

describe('what it leaves alone', () => {
  const commented = {
    type: 'paragraph',
    attrs: { textAlign: 'right' },
    content: [
      { type: 'text', text: 'see ' },
      {
        type: 'text',
        text: 'this page',
        marks: [
          { type: 'comment', attrs: { id: 7 } },
          { type: 'link', attrs: { href: 'https://x.example', target: '_blank' } },
        ],
      },
      { type: 'mention', attrs: { id: 'ada' } },
    ],
  }

  /** A document of an editor with marks, attributes and nodes of its own. */
  const custom = (): Y.Doc => {
    const doc = new Y.Doc()
    const element = new Y.XmlElement('paragraph')
    element.setAttribute('textAlign', 'right')
    const text = new Y.XmlText()
    text.insert(0, 'see ')
    const link = { href: 'https://x.example', target: '_blank' }
    text.insert(4, 'this page', { link, 'comment--AbCdEfGh': { id: 7 } })
    const mention = new Y.XmlElement('mention')
    mention.setAttribute('id', 'ada')
    element.insert(0, [text, mention])
    doc.getXmlFragment('default').insert(0, [element])
    return doc
  }

  test('[RP6] what Markdown and HTML cannot say stays: comments, attributes, nodes of the editor', () => {
    for (const [format, find, put_] of [
      ['markdown', 'see [this page]', 'please see [this page]'],
      ['html', 'see <a', 'please see <a'],
    ] as const) {
      const doc = custom()
      assert.deepEqual(readAs(doc, 'json')['json'], docOf(commented))
      put(doc, { [format]: (readAs(doc, format)[format] as string).replace(find, put_) })
      const [first, ...rest] = commented.content
      const expected = { ...commented, content: [{ ...first, text: 'please see ' }, ...rest] }
      assert.deepEqual(readAs(doc, 'json')['json'], docOf(expected))
    }
  })

  test('[RP7] JSON that was read can be put back with changes, in the names the editor uses', () => {
    const doc = custom()
    const json = readAs(doc, 'json')['json'] as { content: object[] }
    assert.equal(put(doc, { json: docOf(...json.content, paragraph('more')) }).length, 1)
    assert.deepEqual(readAs(doc, 'json')['json'], docOf(commented, paragraph('more')))
    const stored = (doc.getXmlFragment('default').get(0) as Y.XmlElement).get(0) as Y.XmlText
    assert.ok('comment--AbCdEfGh' in (stored.toDelta()[1].attributes as object))
  })

  test('[RP8] a document keeps the names of its editor; a new one gets TipTap’s', () => {
    const basic = new Y.Doc()
    basic.getXmlFragment('prosemirror').insert(0, [new Y.XmlElement('bullet_list')])
    put(basic, { markdown: '**a** ~~b~~\n\n- [x] c\n\n1. d' })
    const xml = basic.getXmlFragment('prosemirror').toJSON()
    assert.match(xml, /<strong>a<\/strong> b/)
    assert.match(xml, /<bullet_list><list_item><paragraph>\[x\] c/)
    assert.match(xml, /<ordered_list order="1">/)
    const fresh = new Y.Doc()
    put(fresh, { markdown: '**a**\n\n- c' })
    assert.equal(
      JSON.stringify(readAs(fresh, 'json')['json']),
      JSON.stringify(
        docOf(paragraph({ type: 'text', text: 'a', marks: [{ type: 'bold' }] }), {
          type: 'bulletList',
          content: [{ type: 'listItem', content: [paragraph('c')] }],
        }),
      ),
    )
  })
})

describe('what it refuses', () => {
  const nested = (levels: number): object =>
    Array.from({ length: levels }).reduce<object>((inner) => ({ type: 'blockquote', content: [inner] }), paragraph('x'))

  const cases: [string, Parameters<typeof put>[1], code: string, message: RegExp][] = [
    ['nothing', {}, 'input/invalid', /exactly one/],
    ['two', { markdown: '', html: '' }, 'input/invalid', /exactly one/],
    ['no document', { json: 'x' }, 'input/invalid', /^json: expected a node of type doc/],
    ['an unknown node', { json: docOf({ type: 'script' }) }, 'input/invalid', /^json\.content\.0\.type: unknown node/],
    [
      'an unknown mark',
      { json: docOf(paragraph({ type: 'text', text: 'x', marks: [{ type: 'blink' }] })) },
      'input/invalid',
      /^json\.content\.0\.content\.0\.marks\.0\.type: unknown mark/,
    ],
    ['an item outside a list', { json: docOf({ type: 'listItem' }) }, 'input/invalid', /cannot stand here/],
    ['text outside a block', { json: docOf({ type: 'text', text: 'x' }) }, 'input/invalid', /cannot stand here/],
    [
      'an empty text',
      { json: docOf({ type: 'paragraph', content: [{ type: 'text', text: '' }] }) },
      'input/invalid',
      /not empty|expected/,
    ],
    ['a level of 7', { json: docOf({ type: 'heading', attrs: { level: 7 } }) }, 'input/invalid', /1 to 6/],
    ['an unknown field', { json: docOf({ type: 'paragraph', html: 'x' }) }, 'input/invalid', /unknown field/],
    ['too deep JSON', { json: docOf(nested(31)) }, 'too-deep', /deep/],
    ['too deep Markdown', { markdown: `${'> '.repeat(31)}x` }, 'too-deep', /levels/],
    ['far too deep Markdown', { markdown: `${'> '.repeat(5_000)}x` }, 'too-deep', /levels/],
    ['too deep HTML', { html: '<blockquote>'.repeat(31) }, 'too-deep', /levels/],
    ['far too deep HTML', { html: '<div>'.repeat(100_000) }, 'too-deep', /deep/],
    ['too much', { markdown: 'x'.repeat(REPLACE_BYTES_MAX + 1) }, 'input/invalid', /at most 5242880 bytes/],
    ['too much JSON', { json: docOf(paragraph('x'.repeat(REPLACE_BYTES_MAX))) }, 'too-large', /at most/],
  ]

  test.each(cases)('[RP9] %s, and says where; nothing is written', (_what, input, code, message) => {
    const doc = new Y.Doc()
    assert.throws(() => put(doc, input), { code, message })
    assert.equal(doc.share.size, 0)
  })

  test('[RP9] thirty levels are not too deep', () => {
    put(new Y.Doc(), { json: docOf(nested(29)) })
    put(new Y.Doc(), { markdown: `${'> '.repeat(29)}x` })
  })

  test('[RP10] a root that holds something else, one root too many, and what would not fit the document', () => {
    const doc = new Y.Doc()
    doc.getMap('meta').set('a', 1)
    assert.throws(() => put(doc, { markdown: 'x', root: 'meta' }), { code: 'root-not-allowed' })
    for (let root = 1; root < ROOTS_MAX; root++) doc.getMap(`root-${root}`).set('a', 1)
    assert.throws(() => put(doc, { markdown: 'x' }), { code: 'root-not-allowed' })
    const full = new Y.Doc()
    full.getText('text').insert(0, 'x'.repeat(7 * 1024 * 1024))
    assert.throws(() => put(full, { markdown: 'y'.repeat(4 * 1024 * 1024) }), { code: 'too-large' })
  })
})
