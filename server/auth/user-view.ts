// What somebody is shown of their own account.
import { idOf, type UserId } from '../../shared/names.ts'
import { type Privacy, readPrivacy } from '../../shared/privacy.ts'
import type { UserRow } from '../../storage/users.ts'

export interface UserView {
  readonly id: UserId
  readonly username: string
  readonly email: string | null
  readonly name: string
  readonly about: string
  /** The id of a picture. */
  readonly avatar: string | null
  readonly timezone: string
  readonly privacy: Privacy
  readonly createdAt: number
  readonly lastLoginAt: number | null
  readonly lastActiveAt: number | null
}

/** Field by field, so that a new column is not shown by accident. */
export const toUserView = (row: UserRow): UserView => ({
  id: idOf(row.id),
  username: row.username,
  email: row.email,
  name: row.name,
  about: row.about,
  avatar: row.avatar,
  timezone: row.timezone,
  privacy: readPrivacy(row.privacy),
  createdAt: row.created_at,
  lastLoginAt: row.last_login_at,
  lastActiveAt: row.last_active_at,
})
