// Opens what a power cut left behind with the real storage, and compares it with what had been acknowledged.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CompiledQuery } from 'kysely'
import { openStorage, type Storage } from '../../storage/open.ts'
import { appendUpdates, loadDocument } from '../../storage/updates.ts'
import type { Random } from '../helpers/random.ts'
import { createDisk, type Image, type Survival, SURVIVALS } from './disk.ts'
import type { DiskEvent } from './record.ts'
import { countOfSnapshot, DOCUMENTS, parseAcknowledgements, snapshotOf, updateOf } from './workload.ts'

export const DATABASE_NAME = 'syncline.db'

export interface CutResult {
  readonly at: number
  readonly survival: Survival
  readonly unsynced: number
  /** Updates that were acknowledged before the cut, and how many of them are gone. */
  readonly acknowledged: number
  readonly lost: number
  /** Why the file cannot be opened, or what in it is wrong. */
  readonly broken: string | null
}

/** How many updates of a document are there; throws when one of them has other bytes than it should. */
const countStored = async (storage: Storage, document: string): Promise<number> => {
  const { snapshot, updates, head, upTo, tailEntries } = await loadDocument(storage, document)
  if (head !== upTo + tailEntries) throw new Error(`${document} has a gap before entry ${head}`)
  const merged = snapshot ? countOfSnapshot(snapshot) : 0
  if (snapshot && Buffer.compare(snapshot, snapshotOf(document, merged)) !== 0) {
    throw new Error(`${document} has a damaged snapshot`)
  }
  for (const [index, update] of updates.entries()) {
    const n = merged + index + 1
    if (Buffer.compare(update, updateOf(document, n)) !== 0) throw new Error(`${document} has a damaged update ${n}`)
  }
  return merged + updates.length
}

const examine = async (path: string): Promise<Map<string, number>> => {
  await using storage = await openStorage({ sqlite: path })
  const { rows } = await storage.db.executeQuery(CompiledQuery.raw('pragma integrity_check'))
  const [verdict] = rows as { integrity_check: string }[]
  if (verdict?.integrity_check !== 'ok') throw new Error(`integrity check: ${verdict?.integrity_check}`)
  const stored = new Map<string, number>()
  for (const document of DOCUMENTS) {
    const count = await countStored(storage, document)
    stored.set(document, count)
    await appendUpdates(storage, [{ document, updates: [updateOf(document, count + 1)] }])
    const { updates } = await loadDocument(storage, document)
    const appended = updates.at(-1)
    if (!appended || Buffer.compare(appended, updateOf(document, count + 1)) !== 0) {
      throw new Error(`${document} takes no more updates`)
    }
  }
  return stored
}

const examineImage = async (image: Image, directory: string): Promise<Map<string, number> | string> => {
  await mkdir(directory)
  try {
    for (const [name, content] of image.files) await writeFile(join(directory, name), content)
    return await examine(join(directory, DATABASE_NAME))
  } catch (error) {
    return String(error)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/**
 * Where to cut, a quarter each: anywhere; right after an acknowledgement, where there is most to lose; inside a
 * checkpoint, where the main file is being overwritten; and in the first start, while the tables are made.
 */
const choosePlaces = (events: readonly DiskEvent[], count: number, random: Random): number[] => {
  const after = (wanted: (event: DiskEvent) => boolean): number[] =>
    events.flatMap((event, index) => (wanted(event) ? [index + 1] : []))
  const anywhere = events.map((_, index) => index)
  const afterAcks = after(({ kind }) => kind === 'ack')
  const inCheckpoints = after((event) => event.kind === 'write' && event.name === DATABASE_NAME)
  const inFirstStart = anywhere.slice(0, afterAcks[0])
  const kinds = [anywhere, afterAcks, inCheckpoints, inFirstStart]
  return Array.from({ length: count }, (_, index) => random.pick(kinds[index % kinds.length] ?? [])).sort(
    (a, b) => a - b,
  )
}

/** Cuts the power `count` times along the record and examines each image in `directory`. */
export const cutPower = async (
  events: readonly DiskEvent[],
  count: number,
  random: Random,
  directory: string,
): Promise<CutResult[]> => {
  const disk = createDisk()
  const acknowledged = new Map<string, number>()
  const results: CutResult[] = []
  let played = 0
  for (const at of choosePlaces(events, count, random)) {
    for (const event of events.slice(played, at)) {
      disk.play(event)
      if (event.kind !== 'ack') continue
      for (const { document, n } of parseAcknowledgements(event.text)) {
        acknowledged.set(document, Math.max(n, acknowledged.get(document) ?? 0))
      }
    }
    played = at
    const survival = random.pick(SURVIVALS)
    const image = disk.cut(survival, random)
    const found = await examineImage(image, join(directory, `cut-${results.length}`))
    let lost = 0
    for (const [document, n] of acknowledged) {
      lost += Math.max(0, n - (typeof found === 'string' ? 0 : (found.get(document) ?? 0)))
    }
    results.push({
      at,
      survival,
      unsynced: image.unsynced,
      acknowledged: [...acknowledged.values()].reduce((sum, n) => sum + n, 0),
      lost,
      broken: typeof found === 'string' ? found : null,
    })
  }
  return results
}
