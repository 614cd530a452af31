// The handle of one's own check-ins.
import { CHECKINS_KIND } from '../../shared/checkins/kind.ts'
import type { Checkin } from '../../shared/checkins/model.ts'
import { CHECKIN_OPERATIONS } from '../../shared/checkins/operations.ts'
import type { Replica } from '../replica.ts'
import { type Changes, changes } from './method.ts'

const [checkinSubmit, checkinUpdate, checkinRetract] = CHECKIN_OPERATIONS

/** All check-ins of one person, private ones too. */
export interface CheckInsValue {
  readonly checkins: readonly Checkin[]
}

/** What a person does with their own check-ins; throws `AppError`: `not-a-member`, `checkin/duplicate`, `period-closed`, … */
export interface CheckInMethods {
  readonly submit: Changes<typeof checkinSubmit>
  readonly update: Changes<typeof checkinUpdate>
  readonly retract: Changes<typeof checkinRetract>
}

export const KIND = CHECKINS_KIND

export const methods = (replica: Replica): CheckInMethods => ({
  submit: changes(replica, checkinSubmit),
  update: changes(replica, checkinUpdate),
  retract: changes(replica, checkinRetract),
})
