// Random updates to records: honest ones by replicas that hear of each other now and then, and crafted ones that no
// client would send. And what such an update did to a document, key by key.
import * as Y from 'yjs'
import type { Random } from '../helpers/random.ts'
import {
  all,
  anys,
  type CraftedBlock,
  type CraftedDeletes,
  type CraftedStruct,
  gc,
  type Id,
  NULL,
  raw,
  text,
  uint,
  writeUpdate,
} from './update-writer.ts'

export const RECORD_ROOTS = ['notes', 'notes:edits', 'flags'] as const
const KEYS = ['a', 'b.title', 'c', 'd.e.f']

export interface Shown {
  readonly value: unknown
  /** Which item shows it. */
  readonly id: string
}

/** What each key shows, by `root/key`. */
export const shownIn = (doc: Y.Doc): Map<string, Shown> => {
  const shown = new Map<string, Shown>()
  for (const [root, type] of doc.share) {
    for (const [key, item] of type._map) {
      if (item.deleted) continue
      const [value] = item.content.getContent() as unknown[]
      shown.set(`${root}/${key}`, { value, id: `${item.id.client}:${item.id.clock}` })
    }
  }
  return shown
}

/** One transaction of one to three changes; deletes only where `mayDelete`. Returns what was deleted in words. */
export const editRecords = (doc: Y.Doc, random: Random, mayDelete: boolean): string[] => {
  const deleted: string[] = []
  doc.transact(() => {
    for (let count = random.int(1, 3); count > 0; count--) {
      const root = random.pick(RECORD_ROOTS)
      const key = random.pick(KEYS)
      const map = doc.getMap<unknown>(root)
      if (mayDelete && map.has(key) && random.chance(0.3)) {
        map.delete(key)
        deleted.push(`${root}/${key}`)
      } else map.set(key, { n: random.int(0, 1_000_000), by: doc.clientID })
    }
  })
  return deleted
}

/** The id of some unit of the doc, or of what the update is about to add. */
const anyId = (doc: Y.Doc, ends: ReadonlyMap<number, number>, random: Random): Id | undefined => {
  const clients = [...new Set([...doc.store.clients.keys(), ...ends.keys()])]
  if (clients.length === 0) return undefined
  const client = random.pick(clients)
  const end = Math.max(ends.get(client) ?? 0, Y.getState(doc.store, client))
  return end === 0 ? undefined : [client, random.int(0, end - 1)]
}

const craftStruct = (doc: Y.Doc, ends: ReadonlyMap<number, number>, random: Random): [CraftedStruct, number] => {
  if (random.chance(0.03)) {
    const length = random.int(1, 3)
    return [gc(length), length]
  }
  const isDeleted = random.chance(0.4)
  const length = isDeleted ? random.int(1, 3) : 1
  const value = all(raw(119), text(`crafted ${random.int(0, 999)}`))
  const content = isDeleted
    ? { content: 1, body: uint(length) }
    : { content: 8, body: anys(random.chance(0.9) ? value : NULL) }
  const origin = random.chance(0.7) ? anyId(doc, ends, random) : undefined
  if (origin) return [{ ...content, origin }, length]
  return [{ ...content, parent: random.pick(RECORD_ROOTS), key: random.pick(KEYS) }, length]
}

/** An update by `authors` that is well formed and refers to what is there, but otherwise follows no client's ways. */
export const craftRecords = (doc: Y.Doc, authors: readonly number[], random: Random): Uint8Array => {
  const ends = new Map<number, number>()
  const blocks: CraftedBlock[] = []
  for (const client of authors) {
    const clock = Y.getState(doc.store, client)
    const structs: CraftedStruct[] = []
    ends.set(client, clock)
    for (let count = random.int(1, 4); count > 0; count--) {
      const [struct, length] = craftStruct(doc, ends, random)
      structs.push(struct)
      ends.set(client, (ends.get(client) as number) + length)
    }
    blocks.push({ client, clock, structs })
  }
  const deletes: CraftedDeletes[] = []
  for (const client of new Set([...doc.store.clients.keys(), ...ends.keys()])) {
    const end = Math.max(ends.get(client) ?? 0, Y.getState(doc.store, client))
    if (end === 0 || random.chance(0.7)) continue
    const from = random.int(0, end - 1)
    deletes.push({ client, ranges: [[from, random.int(1, end - from)]] })
  }
  // As Yjs writes them.
  blocks.sort((a, b) => b.client - a.client)
  return writeUpdate(blocks, deletes)
}
