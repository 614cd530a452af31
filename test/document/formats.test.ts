// Documents in JSON, Markdown and HTML: what goes in comes out, whoever wrote it.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { canonical } from '../../shared/document/canonical.ts'
import { type Format, readAs } from '../../shared/document/formats.ts'
import { fromHtml } from '../../shared/document/from-html.ts'
import { fromMarkdown } from '../../shared/document/from-markdown.ts'
import { toHtml } from '../../shared/document/html.ts'
import { toMarkdown } from '../../shared/document/to-markdown.ts'
import type { TreeNode } from '../../shared/document/tree.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { readTrace, type SequentialTrace } from '../traces/trace.ts'
import { put, someTree } from './trees.ts'

const RUNS = 500

const random = createRandom(chooseSeed())
process.stdout.write(`document formats: SEED=${random.seed}\n`)

test('[DR1] any tree reads back from the HTML it was written as', () => {
  for (let run = 0; run < RUNS; run++) {
    const tree = someTree(random)
    assert.deepEqual(canonical(fromHtml(toHtml(tree))), tree, toHtml(tree))
  }
})

/**
 * What Markdown has to keep: every character that shows, with its marks and the blocks around it, and every picture. Empty
 * paragraphs, spaces at the ends of lines and of marks, and breaks there, it cannot say.
 */
const shown = (nodes: readonly TreeNode[], around = ''): string[] =>
  nodes.flatMap((node) => {
    const own = `${around}/${node.type}${JSON.stringify(node.attrs ?? {})}`
    if (node.type === 'image') return [own]
    if (node.text === undefined) return shown(node.content ?? [], own)
    const marks = JSON.stringify(node.marks ?? [])
    return Array.from(node.text.replaceAll(/\s/g, ''), (char) => `${around} ${char} ${marks}`)
  })

test('[DR2] Markdown keeps all that shows, and reading it back gives the same Markdown', () => {
  for (let run = 0; run < RUNS; run++) {
    const tree = someTree(random, { isMarkdown: true })
    const markdown = toMarkdown(tree)
    const back = canonical(fromMarkdown(markdown))
    assert.deepEqual(shown(back), shown(tree), markdown)
    assert.equal(toMarkdown(back), markdown)
  }
})

const read = (doc: Y.Doc, format: Format): string => readAs(doc, format)[format] as string

/** A doc whose root `name` holds these elements, written by hand as an editor would. */
const xmlDoc = (
  name: string,
  ...elements: readonly [type: string, text: string, marks: object, attributes?: object][]
) => {
  const doc = new Y.Doc()
  const fragment = doc.getXmlFragment(name)
  for (const [type, inner, marks, attributes = {}] of elements) {
    const element = new Y.XmlElement(type)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value as string)
    const text = new Y.XmlText()
    text.insert(0, inner, marks)
    element.insert(0, [text])
    fragment.push([element])
  }
  return doc
}

test('[DR3] the names of TipTap and of the basic ProseMirror schema mean the same, and JSON keeps them as they are', () => {
  const tiptap = xmlDoc(
    'default',
    ['heading', 'Hi', { bold: {} }, { level: 2 }],
    ['codeBlock', 'x', {}, { language: 'js' }],
  )
  const basic = xmlDoc(
    'prosemirror',
    ['heading', 'Hi', { strong: {} }, { level: 2 }],
    ['code_block', 'x', {}, { params: 'js' }],
  )
  for (const doc of [tiptap, basic]) {
    assert.equal(read(doc, 'markdown'), '## **Hi**\n\n```js\nx\n```\n')
    assert.equal(read(doc, 'html'), '<h2><strong>Hi</strong></h2><pre><code class="language-js">x</code></pre>')
  }
  const { root, json } = readAs(basic, 'json')
  assert.equal(root, 'prosemirror')
  assert.deepEqual(json, {
    type: 'doc',
    content: [
      { type: 'heading', attrs: { level: 2 }, content: [{ type: 'text', text: 'Hi', marks: [{ type: 'strong' }] }] },
      { type: 'code_block', attrs: { params: 'js' }, content: [{ type: 'text', text: 'x' }] },
    ],
  })
})

test('[DR4] what is not known keeps its text', () => {
  const doc = xmlDoc('default', ['callout', 'careful', { glow: { colour: 'red' } }], ['paragraph', 'now', { bold: {} }])
  assert.equal(read(doc, 'html'), '<p>careful</p><p><strong>now</strong></p>')
  assert.equal(read(doc, 'markdown'), 'careful\n\n**now**\n')
})

test('[DR5] a text with Quill’s formats reads as the blocks and marks they stand for', () => {
  const doc = new Y.Doc()
  doc
    .getText('quill')
    .applyDelta([
      { insert: 'Title' },
      { insert: '\n', attributes: { header: 1 } },
      { insert: 'plain ' },
      { insert: 'bold', attributes: { bold: true, color: 'red' } },
      { insert: '\none' },
      { insert: '\n', attributes: { list: 'bullet' } },
      { insert: 'deep' },
      { insert: '\n', attributes: { list: 'bullet', indent: 1 } },
      { insert: 'done' },
      { insert: '\n', attributes: { list: 'checked' } },
      { insert: 'let x' },
      { insert: '\n', attributes: { 'code-block': true } },
      { insert: 'y' },
      { insert: '\n', attributes: { 'code-block': true } },
      { insert: 'said' },
      { insert: '\n', attributes: { blockquote: true } },
    ])
  const markdown = '# Title\n\nplain **bold**\n\n- one\n  - deep\n\n+ [x] done\n\n```\nlet x\ny\n```\n\n> said\n'
  assert.equal(read(doc, 'markdown'), markdown)
  assert.deepEqual(put(doc, { markdown }), [])
  put(doc, { markdown: markdown.replace('plain **bold**', 'plain and **bold**') })
  assert.deepEqual(doc.getText('quill').toDelta().slice(2, 4), [
    { insert: 'plain and ' },
    { insert: 'bold', attributes: { bold: true, color: 'red' } },
  ])
})

test('[DR1] HTML that ends in the middle of a tag is what came before the tag', () => {
  for (const end of ['<c', '<c‹béé', '<p class="'])
    assert.deepEqual(canonical(fromHtml(`<p>before</p>${end}`)), canonical(fromHtml('<p>before</p>')), end)
})

test('[DR6] a text without formats is Markdown: it is read as it stands, and JSON and HTML are what it says', async () => {
  const { endContent } = await readTrace<SequentialTrace>('automerge-paper')
  assert.ok(endContent.length > 100_000)
  const doc = new Y.Doc()
  doc.getText('text').insert(0, endContent)
  assert.equal(read(doc, 'markdown'), endContent)
  assert.deepEqual(put(doc, { markdown: endContent }), [])
  const changed = endContent.replace('\\section{', '\\section*{')
  const [update = new Uint8Array(), ...others] = put(doc, { markdown: changed })
  assert.equal(read(doc, 'markdown'), changed)
  assert.deepEqual([update.byteLength < 100, others], [true, []])

  const notes = new Y.Doc()
  notes.getText('text').insert(0, '# Hi\n\n*there*')
  assert.equal(read(notes, 'html'), '<h1>Hi</h1><p><em>there</em></p>')
})

test('[DR7] a long real text goes through a rich document as Markdown and HTML unharmed', async () => {
  const { endContent } = await readTrace<SequentialTrace>('automerge-paper')
  const doc = new Y.Doc()
  put(doc, { markdown: endContent })
  const [markdown, html] = [read(doc, 'markdown'), read(doc, 'html')]
  assert.deepEqual([put(doc, { markdown }), put(doc, { html })], [[], []])
  const other = new Y.Doc()
  put(other, { html })
  assert.equal(read(other, 'markdown'), markdown)
  assert.equal(read(other, 'html'), html)
})

test('[DR8] maps and lists read as JSON, and the root of an editor comes before them', () => {
  const doc = new Y.Doc()
  doc.getMap('meta').set('tags', ['a', 1])
  assert.deepEqual(readAs(doc, 'json'), { root: 'meta', json: { tags: ['a', 1] } })
  doc.getText('notes').insert(0, 'hello')
  assert.deepEqual(readAs(doc, 'markdown'), { root: 'notes', markdown: 'hello' })
  put(doc, { markdown: 'hello', root: 'default' })
  assert.equal(readAs(doc, 'html').root, 'default')
})

const ATTACKS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)><a xlink:href="javascript:alert(1)">x</a></svg>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href=" java\tscript:alert(1)">x</a>',
  '<a href="&#106;avascript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="vbscript:x">x</a><a href="https://x.example/" onclick="alert(1)" style="x">x</a>',
  '<img src="data:text/html,x"><img src="javascript:x" alt="\'&quot;><script>alert(1)</script>">',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe><style>*{}</style><p style="x">x</p>',
  '<pre><code class="language-x&quot; onload=&quot;alert(1)">x</code></pre>',
  '<math><mtext></p><script>alert(1)</script>',
  '[x](javascript:alert(1)) ![x](javascript:alert(1)) <javascript:alert(1)>',
  '[x](<java\nscript:alert(1)> "\\"><script>alert(1)</script>")',
  '[x]: javascript:alert(1)\n\n[x]',
  '```js" onload="alert(1)\nx\n```',
]

const TAG =
  /^(?:p|h[1-6]|ul|li|ol|pre|blockquote|strong|em|s|u|code|br|hr|a|img|ol start="\d+"|(?:ul|li)(?: data-[a-z]+="[a-zA-Z]+")+|code class="language-[\w+#.-]+"|a(?: href="[^"]*")?(?: title="[^"]*")? rel="noopener noreferrer nofollow"|img(?: src="[^"]*")?(?: alt="[^"]*")?(?: title="[^"]*")?)$/

/** Text, the tags we write, and links that a browser follows to the web, a mail or a place on the page only. */
const assertInert = (html: string, attack: string): void => {
  for (const [, tag = ''] of html.matchAll(/<\/?([^<>]*)>/g)) assert.match(tag, TAG, attack)
  assert.doesNotMatch(html.replaceAll(/<[^<>]*>/g, ''), /[<>]/, attack)
  for (const [, href = ''] of html.matchAll(/(?:href|src)="([^"]*)"/g)) {
    const bare = href
      .replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&')
    const { protocol } = new URL(bare, 'https://page.example')
    assert.ok(['http:', 'https:', 'mailto:'].includes(protocol), `${attack}: ${href}`)
  }
}

test('[DR9] nothing that is put in as HTML, Markdown or JSON, or is in a document already, comes out as more than text', () => {
  for (const attack of ATTACKS) {
    for (const input of [{ html: attack }, { markdown: attack }]) {
      const doc = new Y.Doc()
      put(doc, input)
      assertInert(read(doc, 'html'), attack)
      assert.doesNotMatch(JSON.stringify(readAs(doc, 'json')), /"(?:href|src)":"\s*(?:java|vb|data)/i)
      const again = new Y.Doc()
      put(again, { markdown: read(doc, 'markdown') })
      assertInert(read(again, 'html'), attack)
    }
    const href = /href="([^"]*)"/.exec(attack)?.[1] ?? attack
    const doc = xmlDoc(
      'default',
      ['paragraph', attack, { link: { href } }],
      ['image', '', {}, { src: href, alt: attack }],
    )
    assertInert(read(doc, 'html'), attack)
    if (/^\s*(?:java|vb|data)/i.test(href)) assert.doesNotMatch(JSON.stringify(readAs(doc, 'json')), /"(?:href|src)":"/)
  }
  for (const href of ['javascript:alert(1)', 'data:text/html,x', '\u0001javascript:x', 'java\nscript:x', 'ftp://x']) {
    const text = { type: 'text', text: 'x', marks: [{ type: 'link', attrs: { href } }] }
    const json = { type: 'doc', content: [{ type: 'paragraph', content: [text] }] }
    assert.throws(() => put(new Y.Doc(), { json }), { code: 'input/invalid' }, href)
  }
})
