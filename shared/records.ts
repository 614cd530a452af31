// Records: collections of plain JSON values in two root Y.Maps. `tasks` holds each record as it was created; `tasks:edits`
// holds the newer value of a field under `id.field`. Two people who change different fields both win (design 3.1).
import type * as Y from 'yjs'
import type { Check } from './fields.ts'
import { isPlainObject, isSameJson, type Json } from './json.ts'
import { type Change, refuse, type Refusal } from './rules.ts'

export interface Field {
  readonly check: Check
  /** A record cannot be created without it. */
  readonly required?: true
  /** It never changes. */
  readonly fixed?: true
  /** It is in no record as created, only ever in an edit. */
  readonly editOnly?: true
}

export interface Collection {
  /** The root of the records as they were created. */
  readonly name: string
  /** The root of their edits. */
  readonly edits: string
  readonly isId: (id: string) => boolean
  readonly fields: Readonly<Record<string, Field>>
  /** Names of the required fields. */
  readonly required: readonly string[]
}

export const defineCollection = (spec: Pick<Collection, 'name' | 'isId' | 'fields'>): Collection => ({
  ...spec,
  edits: `${spec.name}:edits`,
  required: Object.keys(spec.fields).filter((name) => spec.fields[name]?.required),
})

/** A record as readers see it: its base under its edits. Values were checked when they arrived. */
export type Values = Readonly<Record<string, Json>>

/** Field names hold no dot, ids may: `a.b.title` is field `title` of `a.b`. Null when there is no field. */
export const splitEditKey = (key: string): { readonly id: string; readonly field: string } | null => {
  const dot = key.lastIndexOf('.')
  return dot > 0 ? { id: key.slice(0, dot), field: key.slice(dot + 1) } : null
}

export const editKey = (id: string, field: string): string => `${id}.${field}`

const fieldOf = ({ fields }: Collection, name: string): Field | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined

const isBase = (collection: Collection, value: unknown): value is Values => {
  if (!isPlainObject(value)) return false
  let required = 0
  for (const name of Object.keys(value)) {
    const field = fieldOf(collection, name)
    if (!field || field.editOnly || !field.check(value[name])) return false
    if (field.required) required++
  }
  return required === collection.required.length
}

const isEdit = (collection: Collection, name: string, value: unknown): value is Json => {
  const field = fieldOf(collection, name)
  return field !== undefined && !field.fixed && field.check(value)
}

/** The collection a root belongs to, and which of its two roots it is. */
export const collectionOf = (
  collections: readonly Collection[],
  root: string,
): { readonly collection: Collection; readonly isEdits: boolean } | null => {
  for (const collection of collections) {
    if (root === collection.name) return { collection, isEdits: false }
    if (root === collection.edits) return { collection, isEdits: true }
  }
  return null
}

/**
 * Whether a change of `collection` has the right form: key, field and value. Deleting a key has none to check. Who may do
 * it is the kind's to say.
 */
export const checkRecordForm = (collection: Collection, change: Change): Refusal | null => {
  const { root, key, value } = change
  const isEdits = root === collection.edits
  const edit = isEdits ? splitEditKey(key) : null
  if (isEdits && !edit) return refuse(change, 'key-not-allowed')
  if (!collection.isId(edit ? edit.id : key)) return refuse(change, 'key-not-allowed')
  if (edit && !fieldOf(collection, edit.field)) return refuse(change, 'key-not-allowed')
  if (value === undefined) return null
  const isValid = edit ? isEdit(collection, edit.field, value) : isBase(collection, value)
  return isValid ? null : refuse(change, 'value-not-allowed')
}

/** The newest values of fields that were changed, by record. */
const readEdits = (doc: Y.Doc, collection: Collection): Map<string, Record<string, Json>> => {
  const edited = new Map<string, Record<string, Json>>()
  doc.getMap<unknown>(collection.edits).forEach((value, key) => {
    const edit = splitEditKey(key)
    if (!edit || !isEdit(collection, edit.field, value)) return
    const fields = edited.get(edit.id)
    if (fields) fields[edit.field] = value
    else edited.set(edit.id, { [edit.field]: value })
  })
  return edited
}

/**
 * Visits every record of `collection`, base under edits; values that are not valid are left out. Edits of unknown records
 * are ignored: their base may still come.
 */
export const forEachRecord = (
  doc: Y.Doc,
  collection: Collection,
  visit: (values: Values, id: string) => void,
): void => {
  const edited = readEdits(doc, collection)
  doc.getMap<unknown>(collection.name).forEach((value, id) => {
    if (!isBase(collection, value)) return
    const fields = edited.get(id)
    visit(fields ? { ...value, ...fields } : value, id)
  })
}

/** One record, as `forEachRecord` gives it; undefined when there is none. */
export const readRecord = (doc: Y.Doc, collection: Collection, id: string): Values | undefined => {
  const base = doc.getMap<unknown>(collection.name).get(id)
  if (!isBase(collection, base)) return undefined
  const edits = doc.getMap<unknown>(collection.edits)
  const record: Record<string, Json> = { ...base }
  for (const field of Object.keys(collection.fields)) {
    const value = edits.get(editKey(id, field))
    if (value !== undefined && isEdit(collection, field, value)) record[field] = value
  }
  return record
}

export const createChange = (
  collection: Collection,
  id: string,
  record: Readonly<Record<string, Json | undefined>>,
): Change => ({
  root: collection.name,
  key: id,
  value: Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)),
})

export const editChange = (collection: Collection, id: string, field: string, value: Json): Change => ({
  root: collection.edits,
  key: editKey(id, field),
  value,
})

/** An edit for each field that is given and differs from the record's: a value that is there already is not written. */
export const editChanges = (
  collection: Collection,
  id: string,
  record: Values,
  fields: Readonly<Record<string, Json | undefined>>,
): Change[] =>
  Object.entries(fields).flatMap(([field, value]) =>
    value === undefined || isSameJson(record[field] ?? null, value) ? [] : [editChange(collection, id, field, value)],
  )
