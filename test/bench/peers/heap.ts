// Memory per idle document, measured inside the server's own process: 1,000 documents loaded and kept, nobody connected.
// Run as `node --expose-gc heap-<kind>.ts fill|measure DIRECTORY COUNT`; prints one line of JSON.
import { setImmediate } from 'node:timers/promises'
import type * as Y from 'yjs'

export interface HeapSubject {
  /** Loads document `index` and keeps it in memory until released. */
  readonly pin: (index: number) => Promise<{ doc: Y.Doc; release: () => Promise<void> }>
  /** Resolves once everything written is stored. */
  readonly stored: () => Promise<void>
}

const TEXT_BYTES = 1_000
const AT_ONCE = 50

const collectGarbage = async (): Promise<NodeJS.MemoryUsage> => {
  for (let i = 0; i < 6; i++) {
    globalThis.gc?.()
    await setImmediate()
  }
  return process.memoryUsage()
}

type Pinned = Awaited<ReturnType<HeapSubject['pin']>>

const pinMany = async (subject: HeapSubject, first: number, count: number): Promise<Pinned[]> => {
  const pinned: Pinned[] = []
  for (let start = first; start < first + count; start += AT_ONCE) {
    const size = Math.min(AT_ONCE, first + count - start)
    pinned.push(...(await Promise.all(Array.from({ length: size }, (_, i) => subject.pin(start + i)))))
  }
  return pinned
}

const write = ({ doc }: Pinned): void => {
  doc.getText('body').insert(0, 'some words'.repeat(TEXT_BYTES / 10))
}

export interface HeapReport {
  readonly heapBytes: number
  readonly rssBytes: number
  readonly heapBytesEmpty: number
}

/** `fillFirst`: the documents are written in this process, where the server stores nothing. */
const measure = async (subject: HeapSubject, count: number, fillFirst: boolean): Promise<HeapReport> => {
  // One document warms up what is made once.
  const [warm] = await pinMany(subject, 2 * count, 1)
  await warm?.release()
  const before = await collectGarbage()
  const loaded = await pinMany(subject, 0, count)
  if (fillFirst) for (const one of loaded) write(one)
  const after = await collectGarbage()
  const length = loaded[0]?.doc.getText('body').length
  if (length !== TEXT_BYTES) throw new Error(`document 0 holds ${length} characters, not ${TEXT_BYTES}`)
  const beforeEmpty = await collectGarbage()
  const empty = await pinMany(subject, count, count)
  const afterEmpty = await collectGarbage()
  if (empty.length !== count) throw new Error('not all documents were loaded')
  return {
    heapBytes: (after.heapUsed - before.heapUsed) / count,
    rssBytes: (after.rss - before.rss) / count,
    heapBytesEmpty: (afterEmpty.heapUsed - beforeEmpty.heapUsed) / count,
  }
}

/** Does what the command line asks of the subject, then exits: nothing here is worth a clean stop. */
export const runHeap = async (
  open: (directory: string) => Promise<HeapSubject>,
  inMemoryOnly = false,
): Promise<never> => {
  const [mode, directory, count] = process.argv.slice(2) as [string, string, string]
  const subject = await open(directory)
  if (mode === 'fill' && !inMemoryOnly) {
    for (const one of await pinMany(subject, 0, Number(count))) {
      write(one)
      await one.release()
    }
    await subject.stored()
  }
  const report = mode === 'measure' ? await measure(subject, Number(count), inMemoryOnly) : {}
  process.stdout.write(`${JSON.stringify(report)}\n`)
  process.exit(0)
}
