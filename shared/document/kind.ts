// The kind `document` with what needs the formats: its operation, and plain text read as the Markdown that it is.
import type { Kind } from '../kind.ts'
import { CORE_DOCUMENT_KIND } from './core-kind.ts'
import { readAs } from './formats.ts'
import { replace } from './replace.ts'

export const DOCUMENT_KIND: Kind = {
  ...CORE_DOCUMENT_KIND,
  operations: [replace],
  read: (doc) => readAs(doc, 'json'),
}
