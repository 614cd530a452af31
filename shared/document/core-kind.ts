// The kind `document`: rich text of a DOC channel, or the long text of a record in any channel. Editors write the shared
// types themselves; what needs a parser is not here but in `kind.ts`.
import type { Kind } from '../kind.ts'
import { readAsStored } from './content.ts'

export const CORE_DOCUMENT_KIND: Kind = {
  name: 'document',
  scope: 'channel',
  channelType: 'DOC',
  part: 'record',
  writers: 'members',
  roots: 'any',
  collections: [],
  operations: [],
  read: readAsStored,
}
