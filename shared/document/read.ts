// Reads shared types as trees, runs of text and plain JSON. It walks their items itself: root types stay as untyped as
// they are, hostile content throws nothing, and a budget bounds what comes out, because one formatting mark may be worth a
// megabyte and stand on every letter.
import * as Y from 'yjs'
import { isSameJson, type Json } from '../json.ts'
import { DEPTH_MAX } from '../limits.ts'
import type { Attributes, Mark, TreeNode } from './tree.ts'

/** Characters of JSON that one reading gives at most. */
const READ_LENGTH_MAX = 32 * 1024 * 1024
/** Deeper than anything the server accepts. */
const READ_DEPTH_MAX = 2 * DEPTH_MAX
/** What a node or a value costs besides its characters. */
const NODE_LENGTH = 16

// oxlint-disable-next-line typescript/no-explicit-any -- reason: shared types differ in their events, which no reader looks at.
export type AnyType = Y.AbstractType<any>

/** How much may still be read. Below zero: something was left out. */
export interface Budget {
  left: number
}

export const newBudget = (): Budget => ({ left: READ_LENGTH_MAX })

/** Text, or something else that takes one place in it, with its attributes as they are stored. */
export interface Run {
  readonly insert: string | { readonly embed: Json }
  readonly attributes: Attributes
}

/** The items of a list that are not deleted. */
function* itemsOf(type: AnyType): Generator<Y.Item> {
  for (let item = type._start; item !== null; item = item.right) if (!item.deleted) yield item
}

const lengthOf = (value: Json): number => JSON.stringify(value).length

const objectToJson = (value: object, budget: Budget, depth: number): Json => {
  if (depth >= READ_DEPTH_MAX || value instanceof Uint8Array || value instanceof Y.Doc) return null
  if (value instanceof Y.AbstractType) return typeToJson(value, budget, depth + 1)
  if (Array.isArray(value)) return value.map((inner) => toJson(inner, budget, depth + 1))
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      budget.left -= key.length
      return budget.left < 0 || inner === undefined ? [] : [[key, toJson(inner, budget, depth + 1)]]
    }),
  )
}

/** Any value that Yjs can hold as plain JSON: bytes, documents and what is no number become null. */
const toJson = (value: unknown, budget: Budget, depth: number): Json => {
  budget.left -= typeof value === 'string' ? value.length + 2 : NODE_LENGTH
  if (budget.left < 0) return null
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'object' && value !== null ? objectToJson(value, budget, depth) : null
}

const lastContent = (item: Y.Item): unknown => item.content.getContent().at(-1)

/** The live keys of a map, or the attributes of an element. */
const mapToJson = (type: AnyType, budget: Budget, depth: number): Attributes =>
  Object.fromEntries(
    [...type._map].flatMap(([key, item]) => {
      if (item.deleted || budget.left < 0) return []
      budget.left -= key.length
      return [[key, toJson(lastContent(item), budget, depth)]]
    }),
  )

const listToJson = (type: AnyType, budget: Budget, depth: number): Json[] => {
  const values: Json[] = []
  for (const { content, countable } of itemsOf(type)) {
    if (!countable) continue
    for (const value of content instanceof Y.ContentString ? [content.str] : content.getContent()) {
      if (budget.left < 0) return values
      values.push(toJson(value, budget, depth))
    }
  }
  return values
}

/** A shared type as plain JSON: text as a string, a list as an array, keys as an object, XML as nodes. */
export const typeToJson = (type: AnyType, budget: Budget, depth = 0): Json => {
  if (type instanceof Y.XmlElement || type instanceof Y.XmlHook) return nodeToJson(readElement(type, budget, depth))
  if (type instanceof Y.Text) {
    return readRuns(type, budget)
      .map(({ insert }) => (typeof insert === 'string' ? insert : ''))
      .join('')
  }
  if (type instanceof Y.XmlFragment) return readXml(type, budget, depth).map(nodeToJson)
  if (type instanceof Y.Map || type._start === null) return mapToJson(type, budget, depth)
  return listToJson(type, budget, depth)
}

/** A tree is JSON: it holds nothing else. */
const nodeToJson = (node: TreeNode): Json => node as unknown as Json

/** The text of a Y.Text, or of a root that nobody has typed yet, in runs of equal attributes. */
export const readRuns = (type: AnyType, budget: Budget): Run[] => {
  const runs: Run[] = []
  const active = new Map<string, { value: Json; length: number }>()
  let activeLength = 0
  let parts: string[] = []
  const close = (): void => {
    if (parts.length > 0) push(parts.join(''))
    parts = []
  }
  const push = (insert: Run['insert']): void => {
    budget.left -= NODE_LENGTH + activeLength + (typeof insert === 'string' ? insert.length : lengthOf(insert.embed))
    if (budget.left < 0) return
    // Sorted: the order of formatting differs between texts that look the same.
    const keys = [...active.keys()].sort()
    const attributes = Object.fromEntries(keys.map((key) => [key, active.get(key)?.value ?? null]))
    const last = runs.at(-1)
    // Formatting that begins where the same formatting ends.
    if (typeof insert === 'string' && typeof last?.insert === 'string' && isSameJson(last.attributes, attributes)) {
      runs[runs.length - 1] = { insert: last.insert + insert, attributes: last.attributes }
    } else runs.push({ insert, attributes })
  }
  for (const { content } of itemsOf(type)) {
    if (budget.left < 0) break
    if (content instanceof Y.ContentString) parts.push(content.str)
    else if (content instanceof Y.ContentFormat) {
      close()
      activeLength -= active.get(content.key)?.length ?? 0
      active.delete(content.key)
      const value = toJson(content.value, budget, 0)
      if (value === null) continue
      const length = content.key.length + lengthOf(value)
      active.set(content.key, { value, length })
      activeLength += length
    } else if (content instanceof Y.ContentEmbed || content instanceof Y.ContentType) {
      close()
      push({ embed: toJson(content.getContent()[0], budget, 0) })
    }
  }
  close()
  return runs
}

/** y-prosemirror tells marks of one type that stand on the same text apart by a hash behind the name. */
const HASHED = /^(.+)--[a-zA-Z0-9+/=]{8}$/

export const attributeToMark = (key: string, value: Json): Mark => {
  const type = HASHED.exec(key)?.[1] ?? key
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && Object.keys(value).length > 0 ? { type, attrs: value as Attributes } : { type }
}

export const runToNode = ({ insert, attributes }: Run): TreeNode => {
  const marks = Object.entries(attributes).map(([key, value]) => attributeToMark(key, value))
  const node = typeof insert === 'string' ? { type: 'text', text: insert } : { type: 'embed', attrs: insert }
  return marks.length > 0 ? { ...node, marks } : node
}

/** An element with everything in it. */
export const readElement = (type: Y.XmlElement | Y.XmlHook, budget: Budget, depth: number): TreeNode => {
  budget.left -= NODE_LENGTH
  const attrs = mapToJson(type, budget, depth)
  const content = type instanceof Y.XmlElement && depth < READ_DEPTH_MAX ? readXml(type, budget, depth + 1) : []
  return {
    type: type instanceof Y.XmlElement ? type.nodeName : type.hookName,
    ...(Object.keys(attrs).length > 0 && { attrs }),
    ...(content.length > 0 && { content }),
  }
}

/** What a fragment, an element, or a root that nobody has typed yet, holds. */
export const readXml = (type: AnyType, budget: Budget, depth = 0): TreeNode[] => {
  const nodes: TreeNode[] = []
  for (const { content } of itemsOf(type)) {
    if (budget.left < 0) break
    if (!(content instanceof Y.ContentType)) continue
    const child: unknown = content.type
    if (child instanceof Y.Text) nodes.push(...readRuns(child, budget).map(runToNode))
    else if (child instanceof Y.XmlElement || child instanceof Y.XmlHook) {
      nodes.push(readElement(child, budget, depth))
    }
  }
  return nodes
}
