// The kind `group`, one document for each group. Members read it, the server writes it.
import type { Kind } from '../kind.ts'
import { CHANNELS, GROUP, MEMBERS, readGroup } from './model.ts'

export const GROUP_KIND: Kind = {
  name: 'group',
  scope: 'group',
  part: 'none',
  writers: 'server',
  roots: [GROUP, MEMBERS, CHANNELS],
  collections: [],
  operations: [],
  read: readGroup,
}
