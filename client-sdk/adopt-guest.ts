// A guest signs in to an account that exists already: the guest's work becomes the user's, once, whatever crashes in between.
// What is to be moved is planned by a pure function; each step is one transaction, and a repeat goes on where it stopped.
import { AppError } from '../shared/errors.ts'
import { isPlainObject, type Json } from '../shared/json.ts'
import { isDocumentName } from '../shared/names.ts'
import type { GuestChoice } from './account-types.ts'
import { ADOPT, ADOPTED } from './area-keys.ts'
import { readCommands } from './commands.ts'
import { OUTBOX } from './outbox.ts'
import type { Command } from './outbox-types.ts'
import type { Entry, RecordedOperation, Store, StoredValue } from './offline/store.ts'

/** In the guest's area: who takes it over. */
const CLAIM = 'claim'
const SEQ_DIGITS = 12

/** One edit of a guest, as the user's. Either it is run again, or its update is sent as it is. */
export type AdoptedEdit = {
  readonly document: string
  readonly operation?: RecordedOperation
  /** Where there is no operation: an editor's update. It was never sent, so its client id is nobody's yet. */
  readonly update?: Uint8Array
  readonly clientId: number
}

/** How far a guest's area was taken over; what is written there later comes next. */
type Mark = { readonly seq: number; readonly order: number }

const NOTHING: Mark = { seq: 0, order: 0 }

const readMark = (value: unknown): Mark => {
  if (!isPlainObject(value)) return NOTHING
  const { seq, order } = value
  return typeof seq === 'number' && typeof order === 'number' ? { seq, order } : NOTHING
}

/**
 * `from` becomes `to` where it is a part of an id, a path or a document's name: `{from}`, `{from}.{uuid}`,
 * `checkins/{from}`. Texts that people wrote, which have spaces, stay as they are.
 */
const rename = (text: string, from: string, to: string): string => {
  if (!text.includes(from) || /\s/.test(text)) return text
  return text
    .split(/([./])/)
    .map((part) => (part === from ? to : part))
    .join('')
}

const renameIn = (value: Json, from: string, to: string): Json => {
  if (typeof value === 'string') return rename(value, from, to)
  if (Array.isArray(value)) return value.map((inner: Json) => renameIn(inner, from, to))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, renameIn(inner, from, to)]))
}

interface People {
  readonly fromUser: string
  readonly toUser: string
}

/** Updates of an editor build on each other, so of a document that has one all go as they are. */
const writtenByEditors = (entries: readonly Entry[]): ReadonlySet<string> =>
  new Set(entries.filter(({ pending }) => !pending?.operation).map(({ document }) => document))

const toEdit = ({ document, update, pending }: Entry, { fromUser, toUser }: People, isRaw: boolean): AdoptedEdit => {
  const renamed = rename(document, fromUser, toUser)
  const { clientId, operation } = pending as NonNullable<Entry['pending']>
  if (!operation || isRaw) return { document: renamed, update, clientId }
  const { name, input, now, ids } = operation
  const again = { name, input: renameIn(input, fromUser, toUser), actor: toUser, now, ids }
  return { document: renamed, operation: again, clientId }
}

const toCommand = (command: Command, { fromUser, toUser }: People, order: number): Command => ({
  ...command,
  path: rename(command.path, fromUser, toUser),
  ...(command.body !== undefined && { body: renameIn(command.body, fromUser, toUser) }),
  order,
})

export interface AdoptionInput extends People {
  /** Pending entries of the guest, in their order. */
  readonly entries: readonly Entry[]
  readonly commands: readonly Command[]
  readonly mark: unknown
  /** The highest order in the user's outbox. */
  readonly lastOrder: number
}

/** What the user's area must put to take over all of the guest's work that is not in it yet; null: nothing. */
export const planAdoption = (input: AdoptionInput): Readonly<Record<string, StoredValue>> | null => {
  const { fromUser, lastOrder } = input
  const mark = readMark(input.mark)
  const entries = input.entries.filter(({ seq }) => seq > mark.seq)
  const commands = input.commands.filter(({ order }) => order > mark.order)
  if (entries.length === 0 && commands.length === 0) return null
  const put: Record<string, StoredValue> = {}
  const raw = writtenByEditors(input.entries)
  for (const entry of entries) {
    const edit = toEdit(entry, input, raw.has(entry.document))
    // reason: the compiler takes no interface for a plain object, which an operation is.
    const value = edit as unknown as StoredValue
    put[`${ADOPT}${fromUser}/${String(entry.seq).padStart(SEQ_DIGITS, '0')}`] = value
  }
  commands.forEach((command, index) => {
    put[OUTBOX + command.id] = toCommand(command, input, lastOrder + 1 + index) as StoredValue
  })
  const next: Mark = { seq: entries.at(-1)?.seq ?? mark.seq, order: commands.at(-1)?.order ?? mark.order }
  put[ADOPTED + fromUser] = next
  return put
}

/** The edits that were taken over and are not made again yet, in order, by their keys. */
export const readAdopted = async (store: Store): Promise<ReadonlyMap<string, AdoptedEdit>> => {
  const edits = new Map<string, AdoptedEdit>()
  for (const [key, value] of await store.list(ADOPT)) {
    const document = isPlainObject(value) ? value['document'] : undefined
    if (typeof document === 'string' && isDocumentName(document)) edits.set(key, value as unknown as AdoptedEdit)
  }
  return edits
}

export interface Adoption {
  /** The guest's area. */
  readonly from: Store
  readonly fromUser: string
  /** The user's area. */
  readonly to: Store
  readonly toUser: string
  readonly choice: GuestChoice
}

const readOutbox = async (store: Store): Promise<readonly Command[]> =>
  readCommands((await store.list(OUTBOX)).values())

/** The user who takes over the work in this area, or has; null: nobody. */
export const claimedBy = async (from: Store): Promise<string | null> => {
  const claimed = await from.get(CLAIM)
  return typeof claimed === 'string' ? claimed : null
}

/** The guest's work goes to one person only, whoever signs in after a crash. */
const claim = async (from: Store, toUser: string): Promise<void> => {
  const claimed = await claimedBy(from)
  if (claimed === toUser) return
  if (claimed !== null) throw new AppError('id/taken', 'somebody else takes over the work of this guest')
  await from.write({ put: { [CLAIM]: toUser } })
}

const empty = async (store: Store): Promise<void> => {
  const drop: number[] = []
  for (const { document } of await store.documents()) for (const { seq } of await store.load(document)) drop.push(seq)
  const del = [...(await store.list('')).keys()].filter((key) => key !== CLAIM)
  if (drop.length > 0 || del.length > 0) await store.write({ drop, del })
}

/**
 * Does with a guest's area what was chosen. `merge`: the guest's commands are in the user's outbox and the guest's edits in
 * `readAdopted(to)` when it resolves, and the guest's area is empty. `discard`: the area is empty. `keep`: nothing changes. A repeat
 * changes nothing, or goes on where a crash stopped it. Nobody may write to either area meanwhile. Rejects with `id/taken`
 * when another user has begun to.
 */
export const adoptGuest = async ({ from, fromUser, to, toUser, choice }: Adoption): Promise<void> => {
  if (choice === 'keep') return
  await claim(from, toUser)
  if (choice === 'merge') {
    const put = planAdoption({
      fromUser,
      toUser,
      entries: await from.pending(),
      commands: await readOutbox(from),
      mark: await to.get(ADOPTED + fromUser),
      lastOrder: (await readOutbox(to)).at(-1)?.order ?? 0,
    })
    // The edits, the commands and how far they go, in one transaction.
    if (put) await to.write({ put })
  }
  await empty(from)
}
