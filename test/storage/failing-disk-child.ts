// The process whose disk fails now and then: appends numbered updates to two documents in one commit each, and says on
// stdout what became of every one. Arguments: database file, number of appends.
import { setTimeout as delay } from 'node:timers/promises'
import { CompiledQuery } from 'kysely'
import { openStorage, type Storage } from '../../storage/open.ts'
import { appendUpdates } from '../../storage/updates.ts'

export const DOCUMENTS = ['document/0000000001', 'tasks/0000000001']
const RETRY_MS = 10
/** Few pages, so that checkpoints happen too. */
const CHECKPOINT_PAGES = 40

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? error)

const open = async (path: string): Promise<Storage> => {
  for (;;) {
    try {
      const storage = await openStorage({ sqlite: path })
      await storage.db.executeQuery(CompiledQuery.raw(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`))
      return storage
    } catch (error) {
      say(`not opened: ${codeOf(error)}`)
      await delay(RETRY_MS)
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [path = '', appends] = process.argv.slice(2)
  const storage = await open(path)
  for (let n = 1; n <= Number(appends); n++) {
    const updates = [new TextEncoder().encode(String(n)), new Uint8Array(n % 7 === 0 ? 20_000 : 100)]
    const entries = DOCUMENTS.map((document) => ({ document, updates }))
    await appendUpdates(storage, entries).then(
      () => say(`stored ${n}`),
      (error: unknown) => say(`refused ${n}: ${codeOf(error)}`),
    )
  }
  await storage[Symbol.asyncDispose]()
}
