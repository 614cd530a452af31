// Rounds of: eight writers write, something is killed at a random moment, it starts again on the same data, and a fresh
// reader compares what is there with what the writers had been told. An edit without an answer may be there or not.
import { createRandom, type Random } from '../helpers/random.ts'
import { eventually } from '../helpers/eventually.ts'
import type { Target } from './targets.ts'
import { findEdits, readDocument, startWriter, type WriterRecord } from './writer.ts'

const WRITERS = 8
/** The same documents serve several rounds, so that they get snapshots and are read back more than once. */
const ROUNDS_PER_DOCUMENTS = 4
const DOCUMENTS_MAX = 3
/** A strike comes after so many acknowledgements, or after this time at the latest. */
const ACKNOWLEDGED_MAX = 1_500
const WRITING_MS_MAX = 5_000
const DELAY_MS_MAX = 12
const OPEN_MS_MAX = 120_000
/** By then a writer whose server or database is gone has been told: its socket or its document is closed. */
const ENDED_MS_MAX = 60_000

export interface KillReport {
  readonly rounds: number
  readonly acknowledged: number
  readonly lost: number
  /** Edits found whose sender had no answer: legal, and a sign that the strikes fell in the middle of the work. */
  readonly unanswered: number
  /** What was struck how often. */
  readonly strikes: ReadonlyMap<string, number>
}

const after = (ms: number): Promise<undefined> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ms).unref()
  })

/** Each document with everybody who ever wrote to it. */
type Ledger = Map<string, WriterRecord[]>

const writeUntilStruck = async (
  target: Target,
  ledger: Ledger,
  documents: string[],
  random: Random,
): Promise<string> => {
  const token = await target.token()
  const strikeAfter = random.int(0, ACKNOWLEDGED_MAX)
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  let acknowledged = 0
  const onAck = (): void => {
    if (++acknowledged >= strikeAfter) reach()
  }
  const writers = await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      const document = random.pick(documents)
      const writer = await startWriter(target.socketUrl(), document, token, random.fork(), onAck)
      ledger.get(document)?.push(writer.record)
      return writer
    }),
  )
  const stopped = Promise.race(writers.map(({ ended }) => ended))
  const timer = setTimeout(reach, WRITING_MS_MAX)
  const tooEarly = stopped.then((reason) => Promise.reject(new Error(`a writer was stopped: ${reason}`)))
  await Promise.race([reached, tooEarly]).finally(() => clearTimeout(timer))
  // The moment is random in time as well: the answer that was just read is not always the last event.
  if (random.chance(0.5)) await new Promise((resolve) => setTimeout(resolve, random.int(0, DELAY_MS_MAX)))
  const struck = await target.strike(random)
  // An answer that the kernel had already received counts: the server gave it before it died.
  const ended = await Promise.race([Promise.all(writers.map((writer) => writer.ended)), after(ENDED_MS_MAX)])
  for (const writer of writers) writer.close()
  if (!ended) throw new Error(`struck ${struck}: after ${ENDED_MS_MAX} ms there are writers who were told nothing`)
  return struck
}

/** Every edit that was acknowledged and is not there, over the given documents. */
const countLost = async (target: Target, ledger: Ledger, documents: Iterable<string>) => {
  let lost = 0
  let unanswered = 0
  const token = await target.token()
  for (const document of documents) {
    // A server that outlived its database may need a moment to open documents again.
    const doc = await eventually(
      () => readDocument(target.socketUrl(), document, token),
      () => true,
      { msMax: OPEN_MS_MAX, what: `answer for ${document}` },
    )
    for (const record of ledger.get(document) ?? []) {
      const found = findEdits(doc, record)
      for (const n of found) {
        if (n >= record.sent) throw new Error(`client ${record.clientId} never sent edit ${n}`)
        if (n >= record.acknowledged) unanswered++
      }
      for (let n = 0; n < record.acknowledged; n++) if (!found.has(n)) lost++
    }
  }
  return { lost, unanswered }
}

export const runRounds = async (
  target: Target,
  rounds: number,
  seed: number,
  onRound: (line: string) => void = () => {},
): Promise<KillReport> => {
  const random = createRandom(seed)
  const ledger: Ledger = new Map()
  const strikes = new Map<string, number>()
  const acknowledged = (): number => [...ledger.values()].flat().reduce((sum, record) => sum + record.acknowledged, 0)
  let documents: string[] = []
  await target.start()
  for (let round = 0; round < rounds; round++) {
    if (round % ROUNDS_PER_DOCUMENTS === 0) {
      documents = await Promise.all(Array.from({ length: random.int(1, DOCUMENTS_MAX) }, () => target.newDocument()))
      for (const document of documents) ledger.set(document, [])
    }
    const struck = await writeUntilStruck(target, ledger, documents, random)
    strikes.set(struck, (strikes.get(struck) ?? 0) + 1)
    await target.recover()
    const { lost } = await countLost(target, ledger, documents)
    onRound(`round ${round + 1}: struck ${struck}, ${acknowledged()} acknowledged so far, ${lost} lost`)
  }
  // A server that outlived the last strikes answers from memory; after this one everything comes from disk.
  await target.restart()
  const total = await countLost(target, ledger, ledger.keys())
  return { rounds, acknowledged: acknowledged(), strikes, ...total }
}
