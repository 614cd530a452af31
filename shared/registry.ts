// The kinds of documents: which there are, and which root types each may hold. A kind that is not here cannot be opened.

export interface Kind {
  readonly name: string
  /** `any`: editors choose their root names, up to ROOTS_MAX of them. */
  readonly roots: 'any' | readonly string[]
}

export const KINDS: ReadonlyMap<string, Kind> = new Map(
  [{ name: 'document', roots: 'any' } satisfies Kind].map((kind) => [kind.name, kind]),
)
