// The process whose disk fails: appends numbered updates to two documents in one commit each, says on stdout what became
// of every one, and ends once enough of them are stored. Arguments: database file, how many are enough.
import { CompiledQuery } from 'kysely'
import { openStorage } from '../../storage/open.ts'
import { appendUpdates } from '../../storage/updates.ts'

const DOCUMENTS = ['document/0000000001', 'tasks/0000000001']
/** Few pages, so that checkpoints happen too. */
const CHECKPOINT_PAGES = 40
const LARGE_EVERY = 7

const [path = '', enough] = process.argv.slice(2)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? error)

try {
  await using storage = await openStorage({ sqlite: path })
  await storage.db.executeQuery(CompiledQuery.raw(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`))
  let stored = 0
  for (let n = 1; stored < Number(enough) && n < 4 * Number(enough); n++) {
    const updates = [new TextEncoder().encode(String(n)), new Uint8Array(n % LARGE_EVERY === 0 ? 20_000 : 100)]
    try {
      await appendUpdates(
        storage,
        DOCUMENTS.map((document) => ({ document, updates })),
      )
      stored++
      say(`stored ${n}`)
    } catch (error) {
      say(`refused ${n} ${codeOf(error)}`)
    }
  }
  say('done')
} catch (error) {
  say(`not opened ${codeOf(error)}`)
}
