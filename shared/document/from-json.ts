// ProseMirror JSON from outside, checked: known names in places where they may stand, safe links, limits. A name that we do
// not know is right where the root uses it already: so what was read can be written back.
import { AppError } from '../errors.ts'
import { isInteger } from '../fields.ts'
import { isJson, isPlainObject } from '../json.ts'
import {
  type Attributes,
  CONTENT,
  isInline,
  isItem,
  isSafeHref,
  isSafeSource,
  type Mark,
  markName,
  nodeName,
  type NodeName,
  type TreeNode,
} from './tree.ts'

/** The names that the root uses already. */
export interface KnownNames {
  readonly nodes: ReadonlySet<string>
  readonly marks: ReadonlySet<string>
}

const PATH_SHOWN_MAX = 200

const wrong = (path: string, message: string): never => {
  const field = path.slice(0, PATH_SHOWN_MAX)
  throw new AppError('input/invalid', `${field}: ${message}`, { issues: [{ field, message }] })
}

const ATTRIBUTE_LENGTH_MAX = 64
const isLevel = isInteger(1, 6)

const FIELDS = new Set(['type', 'attrs', 'content', 'text', 'marks'])

const readAttributes = (value: unknown, path: string): Attributes | undefined => {
  if (value === undefined || value === null) return undefined
  if (!isPlainObject(value) || !isJson(value)) return wrong(path, 'expected an object of plain JSON')
  if (Object.keys(value).some((key) => key.length > ATTRIBUTE_LENGTH_MAX))
    wrong(path, 'an attribute has too long a name')
  if (value['href'] !== undefined && value['href'] !== null && !isSafeHref(value['href']))
    wrong(`${path}.href`, 'expected a link to http, https or mailto')
  if (value['src'] !== undefined && value['src'] !== null && !isSafeSource(value['src']))
    wrong(`${path}.src`, 'expected a link to http or https')
  return value
}

const readMarks = (value: unknown, path: string, known: KnownNames): Mark[] => {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return wrong(path, 'expected a list of marks')
  return value.map((mark: unknown, index): Mark => {
    const at = `${path}.${index}`
    if (!isPlainObject(mark) || typeof mark['type'] !== 'string') return wrong(at, 'expected a mark with a type')
    const { type } = mark
    if (!markName(type) && !known.marks.has(type)) wrong(`${at}.type`, 'unknown mark')
    const attrs = readAttributes(mark['attrs'], `${at}.attrs`)
    if (markName(type) === 'link' && !isSafeHref(attrs?.['href'])) wrong(`${at}.attrs.href`, 'expected a link')
    return { type, ...(attrs && { attrs }) }
  })
}

/** Whether `inner` may stand in `outer`; about what we do not know we cannot say. */
const isPlaced = (outer: NodeName | 'doc' | undefined, inner: NodeName | undefined): boolean => {
  if (!outer || !inner) return true
  const content = outer === 'doc' ? 'blocks' : CONTENT[outer]
  if (content === 'inline') return isInline(inner)
  if (content === 'text') return inner === 'text'
  if (content === 'items') return isItem(inner)
  // Pictures are blocks for some editors.
  return content === 'blocks' && !isItem(inner) && (!isInline(inner) || inner === 'image')
}

const readText = (value: unknown, path: string): string => {
  if (typeof value !== 'string' || value === '') return wrong(path, 'expected a text that is not empty')
  if (!value.isWellFormed()) return wrong(path, 'expected no half of a surrogate pair')
  return value
}

const readNode = (
  value: unknown,
  path: string,
  outer: NodeName | 'doc' | undefined,
  depthLeft: number,
  known: KnownNames,
): TreeNode => {
  if (!isPlainObject(value) || typeof value['type'] !== 'string') return wrong(path, 'expected a node with a type')
  const { type } = value
  const name = nodeName(type)
  if (!name && !known.nodes.has(type)) wrong(`${path}.type`, 'unknown node')
  if (!isPlaced(outer, name)) wrong(`${path}.type`, `a ${type.slice(0, 40)} cannot stand here`)
  const stray = Object.keys(value).find((field) => !FIELDS.has(field))
  if (stray !== undefined) wrong(`${path}.${stray.slice(0, 80)}`, 'unknown field')
  const marks = readMarks(value['marks'], `${path}.marks`, known)
  if (name === 'text') {
    return { type, text: readText(value['text'], `${path}.text`), ...(marks.length > 0 && { marks }) }
  }
  if (depthLeft === 0) throw new AppError('too-deep', `${path.slice(0, PATH_SHOWN_MAX)}: nested too deep`)
  const attrs = readAttributes(value['attrs'], `${path}.attrs`)
  const level = attrs?.['level']
  if (name === 'heading' && level !== undefined && !isLevel(level)) wrong(`${path}.attrs.level`, 'expected 1 to 6')
  const content = readContent(value['content'], `${path}.content`, name, depthLeft - 1, known)
  return { type, ...(attrs && { attrs }), ...(content.length > 0 && { content }) }
}

const readContent = (
  value: unknown,
  path: string,
  outer: NodeName | 'doc' | undefined,
  depthLeft: number,
  known: KnownNames,
): TreeNode[] => {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return wrong(path, 'expected a list of nodes')
  return value.map((node: unknown, index) => readNode(node, `${path}.${index}`, outer, depthLeft, known))
}

/**
 * The nodes of a document in ProseMirror JSON. Throws `input/invalid` with the path of the first mistake, or `too-deep`
 * for more than `depthMax` levels.
 */
export const fromJson = (json: unknown, known: KnownNames, depthMax: number): TreeNode[] => {
  if (!isPlainObject(json) || json['type'] !== 'doc') return wrong('json', 'expected a node of type doc')
  return readContent(json['content'], 'json.content', 'doc', depthMax, known)
}
