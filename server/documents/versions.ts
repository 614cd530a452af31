// Versions of documents: named by people, kept by themselves every ten minutes of work, and restored as a change like any
// other. Knows who wrote, not who may: that is asked before.
import * as Y from 'yjs'
import { AppError } from '../../shared/errors.ts'
import { type Format, readAs, type Reading } from '../../shared/document/formats.ts'
import { planRestore } from '../../shared/document/restore.ts'
import { AUTOMATIC_VERSION_MS, PAGE_LENGTH_MAX } from '../../shared/limits.ts'
import type { DocumentName, UserId } from '../../shared/names.ts'
import type { Created } from '../../storage/groups.ts'
import type { Storage } from '../../storage/open.ts'
import { findVersion, insertVersion, listVersions, type VersionRow } from '../../storage/versions.ts'
import type { Logger } from '../log.ts'
import type { Sync } from '../sync/sync.ts'

export interface VersionsDeps {
  readonly storage: Pick<Storage, 'db'>
  readonly sync: Pick<Sync, 'withDocument' | 'onStored'>
  readonly now: () => number
  readonly newId: () => string
  readonly log: Logger
  /** How often it is looked for documents that are due. */
  readonly sweepMs?: number
}

export interface VersionInput {
  readonly id?: string | undefined
  readonly label?: string | null | undefined
  readonly userId: UserId
}

export interface Versions extends AsyncDisposable {
  /** Names the present state. Throws `version/too-many`, `id/taken`, `storage/unavailable`. */
  readonly create: (name: DocumentName, input: VersionInput) => Promise<Created<VersionRow>>
  /** Newest first, at most PAGE_LENGTH_MAX; `before` is the id of a version. Throws `record/not-found` for it. */
  readonly list: (name: DocumentName, before?: string) => Promise<VersionRow[]>
  /** Throws `record/not-found`. */
  readonly read: (name: DocumentName, id: string, format: Format) => Promise<VersionRow & { readonly content: Reading }>
  /**
   * Saves the present state as an automatic version, then writes what differs. Throws `record/not-found`, `too-large`,
   * `storage/unavailable`.
   */
  readonly restore: (
    name: DocumentName,
    id: string,
    userId: UserId,
  ) => Promise<{ readonly restored: VersionRow; readonly saved: VersionRow }>
  /** Keeps a version of every document that is due; one at a time. */
  readonly sweep: () => Promise<void>
}

const SWEEP_MS = 60_000
/** Edits between the saving and the restoring make it start again, so often at most. */
const RESTORE_TRIES = 3

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const docOf = (state: Uint8Array): Y.Doc => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state)
  return doc
}

export const createVersions = ({
  storage: { db },
  sync,
  now,
  newId,
  log,
  sweepMs = SWEEP_MS,
}: VersionsDeps): Versions => {
  /** Since when a document has changes that no automatic version holds. */
  const changedSince = new Map<DocumentName, number>()
  sync.onStored((name) => {
    if (name.startsWith('document/') && !changedSince.has(name)) changedSince.set(name, now())
  })

  const stateOf = (name: DocumentName): Promise<Uint8Array> => sync.withDocument(name, Y.encodeStateAsUpdate)

  const keep = async (
    name: DocumentName,
    state: Uint8Array,
    version: Pick<VersionRow, 'label' | 'created_by' | 'is_automatic'> & { readonly id?: string | undefined },
  ): Promise<Created<VersionRow>> =>
    insertVersion(db, name, { ...version, id: version.id ?? newId(), created_at: now(), state })

  const keepAutomatic = async (name: DocumentName, state: Uint8Array): Promise<VersionRow> =>
    (await keep(name, state, { label: null, created_by: null, is_automatic: true })).row

  const mustVersion = async (name: DocumentName, id: string) => {
    const version = await findVersion(db, name, id)
    if (!version) throw new AppError('record/not-found', 'no such version', { id })
    return version
  }

  /** Keeps what is due; what fails is due again at the next sweep. */
  const keepDue = async (): Promise<void> => {
    const due = [...changedSince].filter(([, since]) => now() - since >= AUTOMATIC_VERSION_MS)
    for (const [name, since] of due) {
      if (stopping) return
      try {
        const state = await stateOf(name)
        changedSince.delete(name)
        await keepAutomatic(name, state)
      } catch (error) {
        changedSince.set(name, since)
        log.warn('version.failed', { document: name, error: String(error) })
      }
    }
  }

  let stopping = false
  let sweeping: Promise<void> | undefined
  const sweep = (): Promise<void> => {
    sweeping ??= keepDue().finally(() => {
      sweeping = undefined
    })
    return sweeping
  }
  const timer = setInterval(() => void sweep(), sweepMs)
  timer.unref()

  const restore: Versions['restore'] = async (name, id, userId) => {
    const { state, ...restored } = await mustVersion(name, id)
    const source = docOf(state)
    const origin = { source: 'rest', operation: 'version.restore', userId }
    for (let tries = 1; ; tries++) {
      const present = await stateOf(name)
      const saved = await keepAutomatic(name, present)
      const isDone = await sync.withDocument(name, (doc) => {
        if (tries < RESTORE_TRIES && !isSame(Y.encodeStateAsUpdate(doc), present)) return false
        doc.transact(planRestore(doc, source), origin)
        return true
      })
      if (isDone) return { restored, saved }
    }
  }

  return {
    create: async (name, { id, label = null, userId }) =>
      keep(name, await stateOf(name), { id, label, created_by: userId, is_automatic: false }),
    list: async (name, before) => {
      const from = before === undefined ? undefined : await mustVersion(name, before)
      return listVersions(db, name, PAGE_LENGTH_MAX, from)
    },
    read: async (name, id, format) => {
      const { state, ...version } = await mustVersion(name, id)
      return { ...version, content: readAs(docOf(state), format) }
    },
    restore,
    sweep,
    [Symbol.asyncDispose]: async () => {
      stopping = true
      clearInterval(timer)
      await sweeping
    },
  }
}
