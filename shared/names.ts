// Ids and document names: their grammar and their brands. Casts to a brand live here only, behind a parse.
import { AppError } from './errors.ts'

declare const brand: unique symbol
export type Id<Kind extends string> = string & { readonly [brand]: Kind }
export type UserId = Id<'user'>
export type GroupId = Id<'group'>
export type ChannelId = Id<'channel'>
/** The wire name of a document, `kind/id[/part]`, as Hocuspocus sees it. */
export type DocumentName = Id<'document-name'>

const ID = /^[A-Za-z0-9_-]{10,40}$/
const DOCUMENT_NAME = /^([a-z]{1,20})\/([A-Za-z0-9_-]{10,40})(?:\/([0-9]{1,6}|[A-Za-z0-9_-]{10,40}))?$/
/** The longest document name the grammar allows. */
export const DOCUMENT_NAME_LENGTH_MAX = 20 + 1 + 40 + 1 + 40

export const isId = (text: string): boolean => ID.test(text)

/** Brands an id that was checked before it was stored, or that a schema has just checked. */
export const idOf = <Kind extends string>(text: string): Id<Kind> => {
  if (!isId(text))
    throw new AppError('input/invalid', 'an id is 10 to 40 of A-Z a-z 0-9 _ -', { id: text.slice(0, 80) })
  return text as Id<Kind>
}

export const isDocumentName = (text: string): boolean => DOCUMENT_NAME.test(text)

export interface ParsedDocumentName {
  readonly name: DocumentName
  readonly kind: string
  readonly id: string
  readonly part: string | undefined
}

/** Splits `kind/id[/part]`; throws `document/bad-name`. */
export const parseDocumentName = (text: string): ParsedDocumentName => {
  const match = DOCUMENT_NAME.exec(text)
  if (!match) throw new AppError('document/bad-name', 'expected kind/id or kind/id/part', { name: text.slice(0, 80) })
  return { name: text as DocumentName, kind: match[1] as string, id: match[2] as string, part: match[3] }
}

export const documentName = (kind: string, id: string, part?: string): DocumentName =>
  parseDocumentName(part === undefined ? `${kind}/${id}` : `${kind}/${id}/${part}`).name
