// The kinds of documents there are. A kind that is not here cannot be opened.
import { DOCUMENT_KIND } from './document/kind.ts'
import type { Kind } from './kind.ts'
import { TASKS_KIND } from './tasks/kind.ts'

export const KINDS: ReadonlyMap<string, Kind> = new Map([DOCUMENT_KIND, TASKS_KIND].map((kind) => [kind.name, kind]))
