// What people say of themselves, and to whom: the schema of a profile and its change.
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { isShowable } from '../../shared/fields.ts'
import { line } from '../../shared/inputs.ts'
import { ABOUT_LENGTH_MAX, PERSON_NAME_LENGTH_MAX, TIMEZONE_LENGTH_MAX } from '../../shared/limits.ts'
import type { UserId } from '../../shared/names.ts'
import { privacyInput, readPrivacy } from '../../shared/privacy.ts'
import type { Storage } from '../../storage/open.ts'
import { findUserById, lockUser, updateUser } from '../../storage/users.ts'
import type { Audit } from '../audit.ts'
import type { Changes } from '../changes.ts'
import { isTimezone } from '../timezone.ts'
import { toUserView, type UserView } from './user-view.ts'

/** Offsets such as +01:00 are zones to the runtime, but no names. */
const isZoneName = (name: string): boolean => /^[A-Za-z]/.test(name) && isTimezone(name)

export const profileBody = z.strictObject({
  name: z.optional(line(PERSON_NAME_LENGTH_MAX)),
  about: z
    .string()
    .max(ABOUT_LENGTH_MAX)
    .refine((text) => isShowable(text, true), 'expected no control characters')
    .optional(),
  timezone: z
    .string()
    .max(TIMEZONE_LENGTH_MAX)
    .refine(isZoneName, 'expected a time zone such as Europe/Berlin')
    .optional(),
  privacy: z.optional(privacyInput),
  /** Pictures cannot be uploaded yet. */
  avatar: z.null().optional(),
})

export type ProfileChange = z.output<typeof profileBody>

export interface ProfileDeps {
  readonly storage: Storage
  readonly audit: Audit
  readonly changes: Pick<Changes, 'user'>
}

/** Changes what is given and leaves the rest as it is. */
export const changeProfile = async (
  { storage, audit, changes }: ProfileDeps,
  userId: UserId,
  { privacy, ...change }: ProfileChange,
): Promise<UserView> => {
  const changed = await storage.db.transaction().execute(async (trx) => {
    await lockUser(trx, userId)
    const before = await findUserById(trx, userId)
    if (!before) throw new AppError('auth/token-invalid', 'this account is gone')
    const fields = {
      ...change,
      ...(privacy && { privacy: JSON.stringify({ ...readPrivacy(before.privacy), ...privacy }) }),
    }
    const names = Object.keys(fields)
    if (names.length === 0) return before
    const row = (await updateUser(trx, userId, fields)) ?? before
    await audit.add(trx, { actor: userId, action: 'profile.changed', target: userId, details: { fields: names } })
    return row
  })
  changes.user(userId)
  return toUserView(changed)
}
