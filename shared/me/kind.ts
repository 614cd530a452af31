// The kind `me`, one document for each user, which nobody else opens.
import type { Kind } from '../kind.ts'
import { checkMeChange, DRAFTS, PROFILE, readMe, SETTINGS } from './model.ts'
import { ME_OPERATIONS } from './operations.ts'

export const ME_KIND: Kind = {
  name: 'me',
  scope: 'user',
  part: 'none',
  writers: 'user',
  roots: [SETTINGS, DRAFTS, PROFILE],
  rule: checkMeChange,
  collections: [],
  operations: ME_OPERATIONS,
  read: readMe,
}
