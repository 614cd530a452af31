// Rows of invites: one at most for a group and a user. One that is past its end is as good as gone.
import type { Kysely, Selectable } from 'kysely'
import type { Role } from '../shared/access.ts'
import type { Database, InviteTable } from './schema.ts'

export type InviteRow = Selectable<InviteTable> & { readonly role: Role }

/** An invite with what the person who is asked must see of the group. */
export interface InviteWithGroup extends InviteRow {
  readonly group_name: string
}

const goodInvites = (db: Kysely<Database>, now: number) =>
  db
    .selectFrom('invite')
    .innerJoin('group', 'group.id', 'invite.group_id')
    .selectAll('invite')
    .select('group.name as group_name')
    .where('invite.expires_at', '>', now)
    .where('group.deleted_at', 'is', null)
    // Roles are checked before they are stored.
    .$castTo<InviteWithGroup>()

export const listInvitesOfGroup = (db: Kysely<Database>, groupId: string, now: number): Promise<InviteWithGroup[]> =>
  goodInvites(db, now)
    .where('invite.group_id', '=', groupId)
    .orderBy('invite.created_at', 'desc')
    .orderBy('invite.id')
    .execute()

export const listInvitesOfUser = (db: Kysely<Database>, userId: string, now: number): Promise<InviteWithGroup[]> =>
  goodInvites(db, now)
    .where('invite.user_id', '=', userId)
    .orderBy('invite.created_at', 'desc')
    .orderBy('invite.id')
    .execute()

export const findInvite = async (db: Kysely<Database>, id: string, now: number): Promise<InviteWithGroup | null> =>
  (await goodInvites(db, now).where('invite.id', '=', id).executeTakeFirst()) ?? null

export const findInviteOf = async (
  db: Kysely<Database>,
  groupId: string,
  userId: string,
  now: number,
): Promise<InviteWithGroup | null> =>
  (await goodInvites(db, now)
    .where('invite.group_id', '=', groupId)
    .where('invite.user_id', '=', userId)
    .executeTakeFirst()) ?? null

export const countInvites = async (db: Kysely<Database>, groupId: string): Promise<number> => {
  const { rows } = await db
    .selectFrom('invite')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('group_id', '=', groupId)
    .executeTakeFirstOrThrow()
  return rows
}

/** False when the id is taken. */
export const insertInvite = async (trx: Kysely<Database>, invite: InviteRow): Promise<boolean> => {
  const inserted = await trx
    .insertInto('invite')
    .values(invite)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}

export const deleteInvite = async (trx: Kysely<Database>, id: string): Promise<void> => {
  await trx.deleteFrom('invite').where('id', '=', id).execute()
}

export const deleteExpiredInvites = async (trx: Kysely<Database>, groupId: string, now: number): Promise<void> => {
  await trx.deleteFrom('invite').where('group_id', '=', groupId).where('expires_at', '<=', now).execute()
}

export const deleteInvitesOfGroup = async (trx: Kysely<Database>, groupId: string): Promise<void> => {
  await trx.deleteFrom('invite').where('group_id', '=', groupId).execute()
}

/** The one that asks the user into the group. */
export const deleteInviteOf = async (trx: Kysely<Database>, groupId: string, userId: string): Promise<void> => {
  await trx.deleteFrom('invite').where('group_id', '=', groupId).where('user_id', '=', userId).execute()
}

/** Those that the user made: they hold no longer than the right to make them. */
export const deleteInvitesBy = async (trx: Kysely<Database>, groupId: string, userId: string): Promise<void> => {
  await trx.deleteFrom('invite').where('group_id', '=', groupId).where('invited_by', '=', userId).execute()
}
