// Which root of a free-form document holds its content, and what the root is. Editors choose names and types; until a
// replica asks for a root with its type, Yjs does not know it, so it is told from what the root holds.
import * as Y from 'yjs'
import type { AnyType } from './read.ts'
import { type Dialect, markName, nodeName, type TreeNode } from './tree.ts'

/** `rich` is text as Quill writes it, `plain` text without formatting, `data` maps and lists. */
export type Form = 'xml' | 'rich' | 'plain' | 'data' | 'empty'

export interface Root {
  readonly name: string
  readonly form: Form
}

/** Where TipTap and the examples of y-prosemirror keep their content. */
const PREFERRED = ['default', 'prosemirror']

const isFormatting = (item: Y.Item): boolean =>
  item.content instanceof Y.ContentFormat || item.content instanceof Y.ContentEmbed

/** Quill's own name for its root counts: its text has no formatting until somebody uses some. */
const formOfText = (name: string, type: AnyType): Form => {
  if (/quill/i.test(name)) return 'rich'
  for (let item = type._start; item !== null; item = item.right) {
    if (!item.deleted && isFormatting(item)) return 'rich'
  }
  return 'plain'
}

const firstItem = (type: AnyType): Y.Item | null => {
  let item = type._start
  while (item?.deleted) item = item.right
  return item
}

const hasKeys = (type: AnyType): boolean => [...type._map.values()].some((item) => !item.deleted)

const formOf = (name: string, type: AnyType): Form => {
  const first = firstItem(type)
  if (first === null) return hasKeys(type) ? 'data' : 'empty'
  if (type instanceof Y.Text) return formOfText(name, type)
  if (type instanceof Y.XmlFragment) return 'xml'
  if (type instanceof Y.Array || type instanceof Y.Map) return 'data'
  if (first.content instanceof Y.ContentString || isFormatting(first)) return formOfText(name, type)
  if (!(first.content instanceof Y.ContentType)) return 'data'
  const inner: unknown = first.content.type
  const isXml = inner instanceof Y.XmlElement || inner instanceof Y.XmlText || inner instanceof Y.XmlHook
  return isXml ? 'xml' : 'data'
}

/** The order in which forms are looked for; within one, names in the order of the alphabet, the preferred ones first. */
const FORMS: readonly Form[] = ['xml', 'rich', 'plain', 'data']

const rank = ({ name, form }: Root): number => {
  const preferred = PREFERRED.indexOf(name)
  return FORMS.indexOf(form) * 10 + (preferred < 0 ? PREFERRED.length : preferred)
}

/** The roots that hold something, most likely content first: the same order on every replica. */
export const rootsWithContent = (doc: Y.Doc): Root[] =>
  [...doc.share]
    .map(([name, type]): Root => ({ name, form: formOf(name, type as AnyType) }))
    .filter(({ form }) => form !== 'empty')
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))

/** What an empty root would hold, as far as this replica was told its type. */
const formOfEmpty = (doc: Y.Doc, name: string): Form =>
  doc.share.get(name) instanceof Y.Text ? (/quill/i.test(name) ? 'rich' : 'plain') : 'empty'

/**
 * A root by its name. Without one: the root that holds the content; maps and lists count only where there is no root of
 * an editor, be it empty.
 */
export const findRoot = (doc: Y.Doc, name?: string): Root => {
  if (name !== undefined) {
    const type = doc.share.get(name)
    const form = type ? formOf(name, type as AnyType) : 'empty'
    return { name, form: form === 'empty' ? formOfEmpty(doc, name) : form }
  }
  const [first] = rootsWithContent(doc)
  const preferred = PREFERRED.find((one) => doc.share.has(one)) ?? 'default'
  if (!first || (first.form === 'data' && doc.share.has(preferred))) return { name: preferred, form: 'empty' }
  return first
}

/** The types of nodes and marks that occur in trees. */
export const namesIn = (nodes: readonly TreeNode[]): { readonly nodes: Set<string>; readonly marks: Set<string> } => {
  const names = { nodes: new Set<string>(), marks: new Set<string>() }
  const waiting = [...nodes]
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    names.nodes.add(node.type)
    for (const { type } of node.marks ?? []) names.marks.add(type)
    for (const inner of node.content ?? []) waiting.push(inner)
  }
  return names
}

/** Whose names the content of a root uses; where it says nothing, the root's name does. */
export const dialectOf = (name: string, nodes: readonly TreeNode[]): Dialect => {
  const used = namesIn(nodes)
  for (const type of used.nodes) {
    const ours = nodeName(type)
    if (ours && ours !== type) return 'basic'
    if (/[A-Z]/.test(type) && ours) return 'tiptap'
  }
  if (used.marks.has('bold') || used.marks.has('italic')) return 'tiptap'
  if ([...used.marks].some((type) => markName(type) === 'bold' || markName(type) === 'italic')) return 'basic'
  return name === 'prosemirror' ? 'basic' : 'tiptap'
}
