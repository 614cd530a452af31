// Which kind a document is of, and what can be done to it.
import { AppError } from '../shared/errors.ts'
import { GROUP_KIND } from '../shared/group/kind.ts'
import type { Kind } from '../shared/kind.ts'
import { CORE_ME_KIND } from '../shared/me/core-kind.ts'
import { parseDocumentName } from '../shared/names.ts'
import type { AnyOperation } from '../shared/operation.ts'

/** Kinds are loaded when a document of theirs is opened: no app shows all of them at its start. */
const LAZY: Readonly<Record<string, () => Promise<Kind>>> = {
  tasks: async () => (await import('../shared/tasks/kind.ts')).TASKS_KIND,
  board: async () => (await import('../shared/board/kind.ts')).BOARD_KIND,
  chat: async () => (await import('../shared/chat/kind.ts')).CHAT_KIND,
  marks: async () => (await import('../shared/marks/kind.ts')).MARKS_KIND,
  checkins: async () => (await import('../shared/checkins/kind.ts')).CHECKINS_KIND,
  wall: async () => (await import('../shared/wall/kind.ts')).WALL_KIND,
  document: async () => (await import('../shared/document/core-kind.ts')).CORE_DOCUMENT_KIND,
}
const LOADED: Readonly<Record<string, Kind>> = { group: GROUP_KIND, me: CORE_ME_KIND }

export const KIND_NAMES: readonly string[] = [...Object.keys(LOADED), ...Object.keys(LAZY)]

/** The kind of a document; throws `document/bad-name`. */
export const loadKind = async (document: string): Promise<Kind> => {
  const { kind } = parseDocumentName(document)
  const loaded = Object.hasOwn(LOADED, kind) ? LOADED[kind] : undefined
  const load = Object.hasOwn(LAZY, kind) ? LAZY[kind] : undefined
  if (loaded) return loaded
  if (!load) throw new AppError('document/bad-name', 'no such kind of document', { name: document.slice(0, 80) })
  return load()
}

/** What can be done to a document, by name; throws `document/bad-name`. */
export const loadOperations = async (document: string): Promise<ReadonlyMap<string, AnyOperation>> => {
  const kind = await loadKind(document)
  return operationsOf(kind === CORE_ME_KIND ? (await import('../shared/me/kind.ts')).ME_KIND : kind)
}

export const operationsOf = (kind: Kind): ReadonlyMap<string, AnyOperation> =>
  new Map(kind.operations.map((operation) => [operation.name, operation]))
