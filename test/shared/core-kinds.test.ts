// The kinds that a client starts with: what they load, and what they give where the formats are not there.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { KIND_NAMES, loadKind } from '../../client-sdk/kinds.ts'
import { CORE_KINDS } from '../../shared/core-kinds.ts'
import { readAs } from '../../shared/document/formats.ts'
import { KINDS } from '../../shared/registry.ts'

const SHARED = join(import.meta.dirname, '..', '..', 'shared')

/** Packages that a file loads, itself or by what it imports. */
const packagesOf = (path: string, seen = new Set<string>()): Set<string> => {
  const packages = new Set<string>()
  if (seen.has(path)) return packages
  seen.add(path)
  const source = readFileSync(path, 'utf8')
  for (const [, target = ''] of source.matchAll(/^(?:import|export)\s(?!type\s)[^'"]*?from\s+'([^']+)'/gm)) {
    if (!target.startsWith('.')) packages.add(target)
    else for (const name of packagesOf(join(dirname(path), target), seen)) packages.add(name)
  }
  return packages
}

test('[RE15] the kinds that a client starts with load no format', () => {
  expect([...packagesOf(join(SHARED, 'core-kinds.ts'))].sort()).toEqual(['fractional-indexing', 'yjs', 'zod/mini'])
  expect(packagesOf(join(SHARED, 'registry.ts'))).toContain('prosemirror-markdown')
})

test('[RE15] they are the kinds of the server, without document.replace', () => {
  expect([...CORE_KINDS.keys()]).toEqual([...KINDS.keys()])
  for (const [name, kind] of KINDS) {
    if (name === 'document') {
      expect({ ...CORE_KINDS.get(name), operations: [], read: null }).toEqual({ ...kind, operations: [], read: null })
      expect(kind.operations.map((operation) => operation.name)).toEqual(['document.replace'])
    } else expect(CORE_KINDS.get(name)).toBe(kind)
  }
})

const read = (doc: Y.Doc): unknown => CORE_KINDS.get('document')?.read?.(doc)

test('[RE15] a document of an editor’s nodes, of maps and lists, or of nothing is the same JSON as with the formats', () => {
  const xml = new Y.Doc()
  const paragraph = new Y.XmlElement('paragraph')
  const text = new Y.XmlText()
  text.insert(0, 'Milk', { link: { href: 'javascript:alert(1)' } })
  paragraph.insert(0, [text])
  xml.getXmlFragment('default').insert(0, [paragraph])
  const data = new Y.Doc()
  data.getMap('notes').set('first', { title: 'Milk' })
  for (const doc of [xml, data, new Y.Doc()]) expect(read(doc)).toEqual(readAs(doc, 'json'))
  expect(JSON.stringify(read(xml))).toMatch(/Milk/)
  expect(JSON.stringify(read(xml))).not.toMatch(/javascript/)
})

test('[RE15] plain text is read as the Markdown that it is, rich text as its letters', () => {
  const plain = new Y.Doc()
  plain.getText('content').insert(0, '# Minutes\n\n- Milk')
  expect(read(plain)).toEqual({ root: 'content', markdown: '# Minutes\n\n- Milk' })
  const rich = new Y.Doc()
  rich.getText('quill').applyDelta([{ insert: 'Milk', attributes: { bold: true } }, { insert: ' is out\n' }])
  expect(read(rich)).toEqual({ root: 'quill', text: 'Milk is out\n' })
})

test('[SY17] the SDK opens every kind there is, as the server has it', async () => {
  expect([...KIND_NAMES].sort()).toEqual([...CORE_KINDS.keys()].sort())
  for (const [name, { roots, rule, read }] of CORE_KINDS) {
    expect(await loadKind(`${name}/0123456789`)).toMatchObject({
      name,
      roots,
      ...(rule && { rule }),
      ...(read && { read }),
    })
  }
})
