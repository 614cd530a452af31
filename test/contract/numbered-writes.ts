// A writer that is killed sooner or later, and what must be there afterwards: each number that it saw resolve, whole, and
// no number after a missing one.
import type { Store } from '../../client-sdk/offline/store.ts'
import { bytes, equal } from './in-page-checks.ts'

const DOCUMENTS = ['tasks/a', 'tasks/ab']
const IN_FLIGHT = 4

const valueKey = (number: number): string => `number/${String(number).padStart(9, '0')}`

/** Writes the numbers from `next` on, several at once; each is two entries and a value. Ends only by a failure. */
export const writeNumbers = async (
  store: Store,
  next: number,
  report: (number: number) => unknown,
  isOver: () => boolean = () => false,
): Promise<void> => {
  let number = next
  const write = async (): Promise<void> => {
    while (!isOver()) {
      const mine = number++
      const append = DOCUMENTS.map((document) => ({ document, update: bytes(`${mine}`), pending: { clientId: 1 } }))
      const seqs = await store.write({ append, put: { [valueKey(mine)]: mine } })
      await report(mine)
      if (mine % 3 === 0) await store.write({ confirm: seqs })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, write))
}

/** The greatest number that is there. Throws when one before it is missing, or one is there in part. */
export const readNumbers = async (store: Store): Promise<number> => {
  const values = [...(await store.list('number/')).values()]
  equal(
    values,
    Array.from({ length: values.length }, (_, index) => index + 1),
    'a number is missing',
  )
  for (const document of DOCUMENTS) {
    const numbers = (await store.load(document)).map(({ update }) => Number(new TextDecoder().decode(update)))
    equal(numbers, values, `entries of ${document}`)
  }
  return values.length
}
