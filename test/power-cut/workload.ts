// What the child of the power-cut test writes: numbered updates whose bytes follow from document and number, so that
// whoever finds them again can tell a right one from a damaged one.
import { createRandom } from '../helpers/random.ts'

export const DOCUMENTS = [
  'document/0000000001',
  'document/00000000010',
  'tasks/0000000001',
  'board/0000000001',
  'chat/0000000001/0',
  'chat/0000000001/1',
]

/** Sizes of an update: mostly small, some that fill pages of their own. */
const LENGTHS = [0, 10, 40, 120, 120, 400, 1_500, 9_000]

const filler = (document: string, n: number, salt: number): Uint8Array => {
  const random = createRandom((DOCUMENTS.indexOf(document) + 1) * 1_000_003 + n * 31 + salt)
  return random.bytes(random.pick(LENGTHS))
}

const labelled = (label: string, rest: Uint8Array): Uint8Array => Buffer.concat([Buffer.from(`${label}\n`), rest])

/** The n-th update of a document, from 1. */
export const updateOf = (document: string, n: number): Uint8Array => labelled(String(n), filler(document, n, 0))

/** The snapshot that stands for the updates 1 to n. */
export const snapshotOf = (document: string, n: number): Uint8Array =>
  n === 0 ? new Uint8Array() : labelled(`up to ${n}`, filler(document, n, 17))

/** How many updates a snapshot stands for. */
export const countOfSnapshot = (snapshot: Uint8Array): number =>
  Number(/^up to (\d+)\n/.exec(Buffer.from(snapshot).toString('latin1'))?.[1] ?? Number.NaN)

/** One line of the acknowledgement file: every update of the document up to n was told to be stored. */
export const acknowledgement = (document: string, n: number): string => `ack ${document} ${n}\n`

export const parseAcknowledgements = (text: string): { document: string; n: number }[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [, document = '', n] = line.split(' ')
      return { document, n: Number(n) }
    })
