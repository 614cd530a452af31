// Where a transaction of a doc comes from. The SDK's own name their source; everything else is the user's edit, because editors
// name their transactions as they like.
export type Origin = { readonly source: 'store' | 'tab' | 'server' }

const SOURCES: ReadonlySet<unknown> = new Set<Origin['source']>(['store', 'tab', 'server'])

export const isOwnEdit = (origin: unknown): boolean =>
  !SOURCES.has((origin as { readonly source?: unknown } | null | undefined)?.source)
