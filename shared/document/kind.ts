// The kind `document`: rich text of a DOC channel, or the long text of a record in any channel. Editors write the shared
// types themselves.
import type { Kind } from '../kind.ts'
import { readAs } from './formats.ts'
import { replace } from './replace.ts'

export const DOCUMENT_KIND: Kind = {
  name: 'document',
  scope: 'channel',
  channelType: 'DOC',
  part: 'record',
  writers: 'members',
  roots: 'any',
  collections: [],
  operations: [replace],
  read: (doc) => readAs(doc, 'json'),
}
