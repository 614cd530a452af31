// The kinds of documents: which there are, and which root types each may hold. A kind that is not here cannot be opened.

export interface Kind {
  readonly name: string
  /** `any`: editors choose their root names, up to ROOTS_MAX of them. */
  readonly roots: 'any' | readonly string[]
  /** Cursor awareness is relayed. Elsewhere presence travels on the group (design 4.3). */
  readonly awareness: boolean
}

export const KINDS: ReadonlyMap<string, Kind> = new Map(
  [{ name: 'document', roots: 'any', awareness: true } satisfies Kind].map((kind) => [kind.name, kind]),
)
