// Work on documents, one piece after the other for each document; what fails does not keep the next from being done.
export interface InOrder {
  readonly add: (document: string, run: () => Promise<void>) => Promise<void>
  /** Resolves when all that was added for the document so far is done. */
  readonly settled: (document: string) => Promise<void>
}

export const createInOrder = (onError: (error: unknown) => void): InOrder => {
  const last = new Map<string, Promise<void>>()
  return {
    add: (document, run) => {
      const next = (last.get(document) ?? Promise.resolve()).then(run).catch(onError)
      last.set(document, next)
      void next.then(() => {
        if (last.get(document) === next) last.delete(document)
      })
      return next
    },
    settled: (document) => last.get(document) ?? Promise.resolve(),
  }
}
