// Stands for `node:crypto` in pages, where helpers import it without needing it.
export const randomInt = (): never => {
  throw new Error('a page draws no seed of its own')
}
