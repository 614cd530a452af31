// The kinds of documents there are, whole. A kind that is not here cannot be opened.
import { CORE_KINDS } from './core-kinds.ts'
import { DOCUMENT_KIND } from './document/kind.ts'
import type { Kind } from './kind.ts'

export const KINDS: ReadonlyMap<string, Kind> = new Map([...CORE_KINDS, [DOCUMENT_KIND.name, DOCUMENT_KIND]])
