// Documents that no editor writes: reading them throws nothing, ends soon, and says when it left something out.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { AppError } from '../../shared/errors.ts'
import { FORMATS, readAs } from '../../shared/document/formats.ts'
import { cpuMsOf } from '../helpers/cpu-time.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { put, replicaOf } from './trees.ts'

const DOCS = 400
const random = createRandom(chooseSeed())
process.stdout.write(`hostile documents: SEED=${random.seed}\n`)

const NAMES = [
  'paragraph',
  'heading',
  'listItem',
  'bullet_list',
  'codeBlock',
  'image',
  'text',
  'constructor',
  '__proto__',
  '',
]
const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  'javascript:alert(1)',
  '\ud800',
  { level: 9, href: {}, src: [], type: 'doc' },
  [[[]]],
  new Uint8Array([1, 2]),
]

const someType = (random: Random, depth: number): Y.Text | Y.XmlFragment | Y.Map<unknown> | Y.Array<unknown> => {
  const kind = random.int(0, depth > 6 ? 1 : 5)
  if (kind === 0) return new Y.XmlText(random.pick(['', 'x', '\n\n', '<b>']))
  if (kind === 1) return new Y.Text('text')
  if (kind === 2) return new Y.Map(NAMES.slice(0, 3).map((name) => [name, someValue(random, depth + 1)]))
  if (kind === 3) return Y.Array.from([someValue(random, depth + 1) as string]) as Y.Array<unknown>
  const element = new Y.XmlElement(random.pick(NAMES))
  for (const name of ['level', 'href', 'src', 'start', '__proto__', 'checked']) {
    if (random.chance(0.3)) element.setAttribute(name, random.pick(VALUES) as string)
  }
  const children = Array.from({ length: random.int(0, 3) }, () => someType(random, depth + 1))
  element.insert(0, children as Y.XmlElement[])
  return element
}

const someValue = (random: Random, depth: number): unknown =>
  random.chance(0.4) ? someType(random, depth) : random.chance(0.05) ? new Y.Doc() : random.pick(VALUES)

/** A doc of anything, everywhere: content that its root's type does not have, and marks that are no marks. */
const someDoc = (random: Random): Y.Doc => {
  const doc = new Y.Doc({ gc: random.chance(0.5) })
  for (let root = random.int(0, 4); root > 0; root--) {
    const name = random.pick(['default', 'prosemirror', 'quill', 'text', 'meta', '__proto__'])
    if (doc.share.has(name)) continue
    const kind = random.int(0, 3)
    if (kind === 0) doc.getArray(name).push([someValue(random, 0), random.pick(VALUES)])
    else if (kind === 1) doc.getMap(name).set(random.pick(NAMES), random.chance(0.1) ? 2n ** 60n : someValue(random, 0))
    else if (kind === 2) {
      const text = doc.getText(name)
      text.insert(0, 'some text\nof two lines\n')
      for (const key of ['bold', 'link', 'header', 'list', 'indent', 'code-block', 'x--AAAAAAAA', 'constructor']) {
        if (random.chance(0.4))
          text.format(random.int(0, 10), random.int(1, 10), { [key]: random.pick(VALUES.slice(0, 5)) })
      }
      if (random.chance(0.5))
        text.insertEmbed(3, random.pick([{ image: 'x' }, { image: 7 }, someType(random, 3)]) as object)
      if (random.chance(0.3)) text.delete(random.int(0, 5), 10)
    } else {
      const children = Array.from({ length: random.int(1, 4) }, () => someType(random, 0))
      doc.getXmlFragment(name).insert(0, children as Y.XmlElement[])
    }
  }
  return doc
}

test('[DR10] reading any document, in any format, throws nothing, gives JSON and leaves the document as it was', () => {
  for (let run = 0; run < DOCS; run++) {
    const doc = someDoc(random)
    // As the server has it: roots without types.
    for (const replica of [doc, replicaOf(doc)]) {
      const before = Y.encodeStateAsUpdate(replica)
      const types = [...replica.share].map(([name, type]) => `${name} ${type.constructor.name}`)
      for (const format of FORMATS) JSON.parse(JSON.stringify(readAs(replica, format)))
      assert.deepEqual(Y.encodeStateAsUpdate(replica), before)
      assert.deepEqual(
        [...replica.share].map(([name, type]) => `${name} ${type.constructor.name}`),
        types,
      )
    }
  }
})

test('[DR10] any document can be replaced, or says why not, and reads then as what was put in', () => {
  let replaced = 0
  for (let run = 0; run < DOCS; run++) {
    const doc = replicaOf(someDoc(random))
    try {
      put(doc, { markdown: '# New\n\n*text*\n' })
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'root-not-allowed', (error as Error).stack)
      continue
    }
    replaced++
    const { html } = readAs(doc, 'html')
    assert.match((html as string).replaceAll(/<p>\s*<\/p>/g, ''), /^<h1>New<\/h1><p><em>text<\/em><\/p>$/)
  }
  assert.ok(replaced > DOCS / 2)
})

/** Of CPU: long enough for a slow machine, far below what the square of these sizes would take. */
const MS_MAX = 5_000

const inTime = (what: string, run: () => void): void => {
  const ms = cpuMsOf(run)
  assert.ok(ms < MS_MAX, `${what} took ${Math.round(ms)} ms of CPU`)
}

test('[DR11] one long mark on every letter, nesting without end and a hundred thousand marks are read in time, cut off', () => {
  const marked = new Y.Doc()
  const element = new Y.XmlElement('paragraph')
  const text = new Y.XmlText()
  element.insert(0, [text])
  marked.getXmlFragment('default').insert(0, [element])
  text.insert(0, 'ab'.repeat(2_000), { link: { href: `https://x.example/${'y'.repeat(1024 * 1024)}` } })
  marked.transact(() => {
    for (let at = 0; at < 4_000; at += 2) text.format(at, 1, { bold: {} })
  })
  assert.ok(Y.encodeStateAsUpdate(marked).byteLength < 2 * 1024 * 1024)
  for (const format of FORMATS) {
    inTime(`a long mark as ${format}`, () => assert.equal(readAs(marked, format).truncated, true))
  }
  assert.throws(() => put(marked, { markdown: 'x' }), { code: 'too-large' })

  const deep = new Y.Doc()
  let inner: Y.XmlFragment = deep.getXmlFragment('default')
  for (let depth = 0; depth < 3_000; depth++) {
    const next = new Y.XmlElement('blockquote')
    inner.insert(0, [next])
    inner = next
  }
  for (const format of FORMATS) inTime(`nesting as ${format}`, () => readAs(deep, format))

  const many = new Y.Doc()
  const runs = Array.from({ length: 100_000 }, (_, index) => ({
    insert: `w${index}`,
    attributes: index % 2 ? { bold: {} } : {},
  }))
  const line = new Y.XmlText()
  line.applyDelta(runs)
  many.getXmlFragment('default').insert(0, [new Y.XmlElement('paragraph')])
  ;(many.getXmlFragment('default').get(0) as Y.XmlElement).insert(0, [line])
  for (const format of FORMATS)
    inTime(`many marks as ${format}`, () => assert.equal(readAs(many, format).truncated, undefined))
})

const KIB = 1024

const INPUTS: [what: string, input: Parameters<typeof put>[1]][] = [
  ['brackets', { markdown: '['.repeat(64 * KIB) }],
  ['stars', { markdown: '*a '.repeat(64 * KIB) }],
  ['mixed emphasis', { markdown: '*_'.repeat(64 * KIB) }],
  ['backticks', { markdown: Array.from({ length: 400 }, (_, length) => '`'.repeat(length)).join(' ') }],
  ['links', { markdown: '[a](<b'.repeat(8 * KIB) }],
  ['quotes', { markdown: `${'>'.repeat(20)}\n`.repeat(2 * KIB) }],
  ['spaces in Markdown', { markdown: `x${' '.repeat(512 * KIB)}x` }],
  ['tabs and line ends', { markdown: `x${'\t\n \n'.repeat(128 * KIB)}x` }],
  ['lists', { markdown: '- a\n'.repeat(16 * KIB) }],
  ['open tags', { html: '<b>'.repeat(200) + '<p>x'.repeat(16 * KIB) }],
  ['a long link on many words', { markdown: `[${'a *b* '.repeat(32 * KIB)}](https://${'x'.repeat(512 * KIB)})` }],
  ['a long link on many blocks', { html: `<a href="${'x'.repeat(512 * KIB)}">${'<p>x'.repeat(64 * KIB)}` }],
  ['entities', { html: '&amp;'.repeat(128 * KIB) }],
  ['spaces', { html: `<p>x${' '.repeat(512 * KIB)}x` }],
  ['line ends', { html: `<p>x${' \n'.repeat(256 * KIB)}x` }],
]

test.each(INPUTS)('[DR11] %s: input that would take the square of its length is parsed in time', (what, input) => {
  inTime(what, () => {
    try {
      const doc = new Y.Doc()
      put(doc, input)
      for (const format of FORMATS) readAs(doc, format)
    } catch (error) {
      assert.ok(error instanceof AppError && error.code.startsWith('too-'), `${what}: ${String(error)}`)
    }
  })
})
