// The handle of what belongs to one person.
import { ME_KIND } from '../../shared/me/kind.ts'
import { ME_OPERATIONS } from '../../shared/me/operations.ts'
import type { Operation } from '../../shared/operation.ts'
import type { Replica } from '../replica.ts'
import { type Changes, changes, type InputOf } from './method.ts'

const [settingSet, draftSet] = ME_OPERATIONS

/** Settings and half-written texts of one's own, the same on all devices. */
export interface MeMethods {
  readonly set: Changes<typeof settingSet>
  readonly draft: Changes<typeof draftSet>
}

export const KIND = ME_KIND

export const methods = (replica: Replica): MeMethods => ({
  set: changes(replica, settingSet as Operation<InputOf<typeof settingSet>>),
  draft: changes(replica, draftSet as Operation<InputOf<typeof draftSet>>),
})
