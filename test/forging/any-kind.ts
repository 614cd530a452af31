// Forgeries that no kind of records allows: what is no plain JSON, what is no key of a root, values of the wrong form,
// and deletions in disguise. Made from the kind's roots and from an honest document.
import * as Y from 'yjs'
import { DETAILS_BYTES_MAX } from '../../shared/limits.ts'
import {
  all,
  anys,
  binary,
  type CraftedStruct,
  type Id,
  NULL,
  one,
  raw,
  text,
  uint,
  writeUpdate,
} from '../hostile/update-writer.ts'
import { type Cast, type Forgery, remove, type Scene, set } from './scene.ts'

/** The word that stands for the attacker in bytes that nobody else may ever see. */
export const MARK = 'forged-by-the-attacker'
const WORD = all(raw(119), text(MARK))

/** A struct that follows all that `clientId` wrote in `doc`. */
const crafted =
  (...structs: readonly CraftedStruct[]): Forgery['write'] =>
  (doc, clientId) =>
    one(clientId, Y.getState(doc.store, clientId), ...structs)

const CONTENTS: Record<string, Pick<CraftedStruct, 'content' | 'body'>> = {
  'a map': { content: 7, body: uint(1) },
  'a list': { content: 7, body: uint(0) },
  'a text': { content: 7, body: uint(2) },
  'a document': { content: 9, body: all(text('forged-guid'), raw(118, 0)) },
  bytes: { content: 3, body: binary(new Uint8Array(9)) },
  letters: { content: 4, body: text(MARK) },
  'old JSON': { content: 2, body: all(uint(1), text('{}')) },
  'an embed': { content: 5, body: text('{}') },
  'a format': { content: 6, body: all(text('bold'), text('true')) },
  undefined: { content: 8, body: anys(raw(127)) },
  'a bigint': { content: 8, body: anys(raw(122, 0, 0, 0, 0, 0, 0, 0, 1)) },
  NaN: { content: 8, body: anys(raw(123, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0)) },
  'minus infinity': { content: 8, body: anys(raw(124, 0xff, 0x80, 0, 0)) },
  'bytes as a value': { content: 8, body: anys(raw(116, 2, 1, 2)) },
  'bytes inside a value': { content: 8, body: anys(raw(117, 1, 116, 1, 255)) },
  'a value that changes the prototype': { content: 8, body: anys(all(raw(118, 1), text('__proto__'), raw(126))) },
  'half a character': { content: 8, body: anys(raw(119, 3, 0xed, 0xa0, 0x80)) },
  'two values': { content: 8, body: anys(WORD, NULL) },
}

/** Never right, whatever the field. */
const WRONG_VALUES: Record<string, unknown> = {
  'an object of nonsense': { [MARK]: 1 },
  'a list of objects': [{ [MARK]: 1 }],
  'too long a text': MARK.repeat(DETAILS_BYTES_MAX / MARK.length + 1),
  'a number out of every range': -1e300,
}

const KEYS = ['', '.', 'x', 'no-dot-in-it', `${MARK}.`, `.${MARK}`, `${MARK}.constructor`, 'a'.repeat(200), '-.-.-.-.-']

/** Those that are wrong in `root`. */
const keysFor = (root: string, free: Scene['free']): string[] =>
  KEYS.filter((key) => !free?.roots.includes(root) || !free.isKey(key))

const headOf = (doc: Y.Doc, root: string, key: string): Id => {
  const head = doc.getMap(root)._map.get(key)
  if (!head) throw new Error(`no ${root}/${key}`)
  return [head.id.client, head.id.clock]
}

/** What a crafted client may try to be rid of `key`. */
const deletions = (root: string, key: string): Forgery[] => [
  { title: `delete ${root}/${key}`, write: remove(root, key) },
  {
    title: `a deleted value on top of ${root}/${key}`,
    write: (doc, clientId) => crafted({ content: 1, origin: headOf(doc, root, key), body: uint(1) })(doc, clientId),
  },
  {
    title: `the value of ${root}/${key} again, deleted at once`,
    write: (doc, clientId) => {
      const clock = Y.getState(doc.store, clientId)
      const struct = { content: 8, origin: headOf(doc, root, key), body: anys(WORD) }
      return writeUpdate([{ client: clientId, clock, structs: [struct] }], [{ client: clientId, ranges: [[clock, 1]] }])
    },
  },
  {
    title: `delete ${root}/${key} behind collected structs`,
    write: (doc, clientId) => {
      const [client, clock] = headOf(doc, root, key)
      const structs = [{ content: 0, body: uint(3) }]
      return writeUpdate(
        [{ client: clientId, clock: Y.getState(doc.store, clientId), structs }],
        [{ client, ranges: [[clock, 1]] }],
      )
    },
  },
]

const inRoot = (root: string, free: Scene['free']): Forgery[] => [
  { title: `a list in ${root}`, write: crafted({ content: 8, parent: root, body: anys(WORD) }) },
  { title: `text in ${root}`, write: crafted({ content: 4, parent: root, body: text(MARK) }) },
  { title: `__proto__ in ${root}`, write: crafted({ content: 8, parent: root, key: '__proto__', body: anys(WORD) }) },
  ...keysFor(root, free).map((key) => ({
    title: `the key "${key.slice(0, 40)}" in ${root}`,
    write: set(root, key, MARK),
  })),
  ...keysFor(root, free).map((key) => ({
    title: `a deleted value under "${key.slice(0, 40)}" in ${root}`,
    write: crafted({ content: 1, parent: root, key, body: uint(1) }),
  })),
]

const underKey = (root: string, key: string, free: Scene['free']): Forgery[] => [
  ...Object.entries(CONTENTS).flatMap(([what, content]) => [
    { title: `${what} over ${root}/${key}`, write: overHead(root, key, content) },
    { title: `${what} beside ${root}/${key}`, write: crafted({ ...content, parent: root, key }) },
  ]),
  ...Object.entries(free?.roots.includes(root) ? {} : WRONG_VALUES).map(([what, value]) => ({
    title: `${what} for ${root}/${key}`,
    write: set(root, key, value),
  })),
  {
    title: `a value left of ${root}/${key}`,
    write: (doc, clientId) =>
      crafted({ content: 8, rightOrigin: headOf(doc, root, key), body: anys(WORD) })(doc, clientId),
  },
]

const overHead =
  (root: string, key: string, content: Pick<CraftedStruct, 'content' | 'body'>): Forgery['write'] =>
  (doc, clientId) =>
    crafted({ ...content, origin: headOf(doc, root, key) })(doc, clientId)

/** All of them, for a kind of records and an honest document of it. */
export const anyForgeries = ({ kind, deletable, free }: Scene, honest: Y.Doc, cast: Cast): Forgery[] => {
  const roots = kind.roots as readonly string[]
  const mayDelete = new Set(deletable?.(cast))
  const wrongRoots = [
    'other',
    'tasks',
    'messages',
    'columns',
    'marks',
    'checkins',
    `${roots[0]}:edits:edits`,
    'default',
  ]
  const keys = roots.flatMap((root) => [...honest.getMap(root).keys()].map((key) => [root, key] as const))
  return [
    ...wrongRoots
      .filter((root) => !roots.includes(root))
      .map((root) => ({ title: `the root ${root}`, write: set(root, 'a-key-00000001', MARK) })),
    ...roots.flatMap((root) => inRoot(root, free)),
    ...keys.flatMap(([root, key]) => underKey(root, key, free)),
    ...keys.filter(([root, key]) => !mayDelete.has(`${root}/${key}`)).flatMap(([root, key]) => deletions(root, key)),
  ]
}
