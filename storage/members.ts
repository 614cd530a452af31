// Rows of memberships: who is in a group, in which role, and who must stay out of it. Whoever changes them has locked the
// group, and where somebody joins, the user before it.
import type { Kysely, Selectable, Updateable } from 'kysely'
import type { Role } from '../shared/access.ts'
import { ACTIVE } from './access.ts'
import type { Database, MembershipTable, UserTable } from './schema.ts'

export const BANNED = 'banned'
export const ENDED = 'ended'

/** Roles are checked before they are stored, so what comes back is one. */
export type MembershipRow = Selectable<MembershipTable> & { readonly role: Role }
export type MemberRow = MembershipRow & Pick<Selectable<UserTable>, 'username' | 'name' | 'avatar' | 'privacy'>

const memberships = (db: Kysely<Database>) =>
  db.selectFrom('membership').selectAll('membership').$castTo<MembershipRow>()

/** Whatever its status. */
export const findMembership = async (
  db: Kysely<Database>,
  groupId: string,
  userId: string,
): Promise<MembershipRow | null> =>
  (await memberships(db).where('group_id', '=', groupId).where('user_id', '=', userId).executeTakeFirst()) ?? null

const members = (db: Kysely<Database>, groupId: string, status: string) =>
  db
    .selectFrom('membership')
    .innerJoin('user', 'user.id', 'membership.user_id')
    .selectAll('membership')
    .select(['user.username', 'user.name', 'user.avatar', 'user.privacy'])
    .where('membership.group_id', '=', groupId)
    .where('membership.status', '=', status)
    .$castTo<MemberRow>()

/** In the order in which they came. */
export const listMembers = (db: Kysely<Database>, groupId: string, status = ACTIVE): Promise<MemberRow[]> =>
  members(db, groupId, status).orderBy('membership.joined_at').orderBy('membership.user_id').execute()

export const findMember = async (
  db: Kysely<Database>,
  groupId: string,
  userId: string,
  status = ACTIVE,
): Promise<MemberRow | null> =>
  (await members(db, groupId, status).where('membership.user_id', '=', userId).executeTakeFirst()) ?? null

/** Sorted, so that whoever locks them all does it in one order. */
export const listMemberIds = async (db: Kysely<Database>, groupId: string, status = ACTIVE): Promise<string[]> => {
  const rows = await db
    .selectFrom('membership')
    .select('user_id')
    .where('group_id', '=', groupId)
    .where('status', '=', status)
    .orderBy('user_id')
    .execute()
  return rows.map(({ user_id }) => user_id)
}

export const countMembers = async (db: Kysely<Database>, groupId: string): Promise<number> => {
  const { rows } = await db
    .selectFrom('membership')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('group_id', '=', groupId)
    .where('status', '=', ACTIVE)
    .executeTakeFirstOrThrow()
  return rows
}

/** Groups that the user is in. Direct-message channels are none. */
export const countGroupsOf = async (db: Kysely<Database>, userId: string): Promise<number> => {
  const { rows } = await db
    .selectFrom('membership')
    .innerJoin('group', 'group.id', 'membership.group_id')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('membership.user_id', '=', userId)
    .where('membership.status', '=', ACTIVE)
    .where('group.kind', '=', 'group')
    .executeTakeFirstOrThrow()
  return rows
}

export const insertMember = async (
  trx: Kysely<Database>,
  member: Pick<MembershipRow, 'group_id' | 'user_id' | 'role' | 'joined_at'> & { readonly status?: string },
): Promise<void> => {
  await trx.insertInto('membership').values(member).execute()
}

export const updateMember = async (
  trx: Kysely<Database>,
  groupId: string,
  userId: string,
  set: Updateable<MembershipTable>,
): Promise<void> => {
  await trx.updateTable('membership').set(set).where('group_id', '=', groupId).where('user_id', '=', userId).execute()
}

export const deleteMember = async (trx: Kysely<Database>, groupId: string, userId: string): Promise<void> => {
  await trx.deleteFrom('membership').where('group_id', '=', groupId).where('user_id', '=', userId).execute()
}

/** The memberships of a group end with it. */
export const endMembers = async (trx: Kysely<Database>, groupId: string): Promise<void> => {
  await trx
    .updateTable('membership')
    .set({ status: ENDED })
    .where('group_id', '=', groupId)
    .where('status', '=', ACTIVE)
    .execute()
}
