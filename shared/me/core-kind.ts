// The kind `me`, one document for each user, which nobody else opens; what is done to it is not here but in `kind.ts`, because
// a client reads it at its start.
import type { Kind } from '../kind.ts'
import { checkMeChange, DRAFTS, PROFILE, readMe, SETTINGS } from './model.ts'

export const CORE_ME_KIND: Kind = {
  name: 'me',
  scope: 'user',
  part: 'none',
  writers: 'user',
  roots: [SETTINGS, DRAFTS, PROFILE],
  rule: checkMeChange,
  collections: [],
  operations: [],
  read: readMe,
}
