// The kind `me`: what belongs to one user on all devices. Settings and drafts are the user's; the server writes the
// profile and the groups, so that both can be read offline.
import type * as Y from 'yjs'
import { utf8Length } from '../fields.ts'
import { isJson, type Json } from '../json.ts'
import { SETTING_BYTES_MAX } from '../limits.ts'
import { changesTo } from '../projection.ts'
import { type Change, type Facts, refuse, type Refusal } from '../rules.ts'

export const SETTINGS = 'settings'
export const DRAFTS = 'drafts'
/** `user`, and `group.{id}` for each group. */
export const PROFILE = 'profile'

const OWN_ROOTS: ReadonlySet<string> = new Set([SETTINGS, DRAFTS])
const KEY = /^[A-Za-z0-9_.:/-]{1,128}$/
const USER = 'user'
const GROUP_PREFIX = 'group.'

/** `__proto__` is a key in no document: it would not be one in an object either. */
export const isSettingKey = (key: string): boolean => KEY.test(key) && key !== '__proto__'

/** Plain JSON of at most 64 KiB. */
export const isSettingValue = (value: unknown): value is Json =>
  isJson(value) && utf8Length(JSON.stringify(value)) <= SETTING_BYTES_MAX

/** The user sets and takes back settings and drafts, and nothing else. */
export const checkMeChange = (change: Change, _facts: Facts): Refusal | null => {
  if (change.root === PROFILE) return refuse(change, 'read-only')
  if (!OWN_ROOTS.has(change.root)) return refuse(change, 'root-not-allowed')
  if (!isSettingKey(change.key)) return refuse(change, 'key-not-allowed')
  if (change.value === undefined) return null
  return isSettingValue(change.value) ? null : refuse(change, 'value-not-allowed')
}

/** What the server writes. */
export interface MeProjection {
  readonly user: Readonly<Record<string, Json>>
  /** Groups by id. */
  readonly groups: Readonly<Record<string, Readonly<Record<string, Json>>>>
}

export const planMe = (doc: Y.Doc, { user, groups }: MeProjection): Change[] =>
  changesTo(
    doc,
    PROFILE,
    new Map([
      [USER, user],
      ...Object.entries(groups).map(([id, group]): [string, unknown] => [GROUP_PREFIX + id, group]),
    ]),
  )

const entriesOf = (doc: Y.Doc, root: string): [string, Json][] =>
  [...doc.getMap<Json>(root).entries()].toSorted(([a], [b]) => (a < b ? -1 : 1))

const readOwn = (doc: Y.Doc, root: string): Record<string, Json> =>
  Object.fromEntries(entriesOf(doc, root).filter(([key, value]) => isSettingKey(key) && isSettingValue(value)))

/** Everything, by root. */
export const readMe = (doc: Y.Doc) => {
  const profile = entriesOf(doc, PROFILE)
  return {
    settings: readOwn(doc, SETTINGS),
    drafts: readOwn(doc, DRAFTS),
    user: profile.find(([key]) => key === USER)?.[1] ?? null,
    groups: Object.fromEntries(
      profile
        .filter(([key]) => key.startsWith(GROUP_PREFIX))
        .map(([key, group]) => [key.slice(GROUP_PREFIX.length), group]),
    ),
  }
}
