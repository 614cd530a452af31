// Which kind a document is of, and what can be done to it.
import { AppError } from '../shared/errors.ts'
import { GROUP_KIND } from '../shared/group/kind.ts'
import type { Kind } from '../shared/kind.ts'
import { CORE_ME_KIND } from '../shared/me/core-kind.ts'
import { parseDocumentName } from '../shared/names.ts'
import type { AnyOperation } from '../shared/operation.ts'

/**
 * Kinds are loaded when a document of theirs is opened: no app shows all of them at its start. Each comes with what its
 * handle can do, in one piece: an app waits for every file.
 */
export const KIND_FILES = {
  tasks: () => import('./kinds/tasks.ts'),
  board: () => import('./kinds/board.ts'),
  chat: () => import('./kinds/chat.ts'),
  marks: () => import('./kinds/marks.ts'),
  checkins: () => import('./kinds/check-ins.ts'),
  wall: () => import('./kinds/wall.ts'),
  document: () => import('./kinds/document.ts'),
  me: () => import('./kinds/me.ts'),
}

/** These are read at every start; of `me` what is done to it is in its file. */
const LOADED: Readonly<Record<string, Kind>> = { group: GROUP_KIND, me: CORE_ME_KIND }

export const KIND_NAMES: readonly string[] = [...new Set([...Object.keys(LOADED), ...Object.keys(KIND_FILES)])]

export const isLazy = (name: string): name is keyof typeof KIND_FILES => Object.hasOwn(KIND_FILES, name)

/** The kind of a document; throws `document/bad-name`. */
export const loadKind = async (document: string): Promise<Kind> => {
  const { kind } = parseDocumentName(document)
  const loaded = Object.hasOwn(LOADED, kind) ? LOADED[kind] : undefined
  if (loaded) return loaded
  if (!isLazy(kind))
    throw new AppError('document/bad-name', 'no such kind of document', { name: document.slice(0, 80) })
  return (await KIND_FILES[kind]()).KIND
}

/** What can be done to a document, by name; throws `document/bad-name`. */
export const loadOperations = async (document: string): Promise<ReadonlyMap<string, AnyOperation>> => {
  const kind = await loadKind(document)
  return operationsOf(kind === CORE_ME_KIND ? (await KIND_FILES.me()).KIND : kind)
}

export const operationsOf = (kind: Kind): ReadonlyMap<string, AnyOperation> =>
  new Map(kind.operations.map((operation) => [operation.name, operation]))
