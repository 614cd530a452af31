// Rows of groups. The two people of a direct-message channel are a group too, of another kind, which no look-up here finds
// but the one that locks.
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely'
import type { Role } from '../shared/access.ts'
import { ACTIVE } from './access.ts'
import type { Database, GroupTable } from './schema.ts'

export type GroupRow = Selectable<GroupTable>

/** A group as one of its members sees it. */
export interface GroupOfMember extends GroupRow {
  readonly role: Role
  readonly joined_at: number
  readonly can_invite: number
  readonly can_kick: number
}

/** What was asked for, and whether it is new or was there already. */
export interface Created<Row> {
  readonly row: Row
  readonly created: boolean
}

const groupsOfMember = (db: Kysely<Database>, userId: string) =>
  db
    .selectFrom('group')
    .innerJoin('membership', 'membership.group_id', 'group.id')
    .selectAll('group')
    .select(['membership.role', 'membership.joined_at', 'membership.can_invite', 'membership.can_kick'])
    .where('membership.user_id', '=', userId)
    .where('membership.status', '=', ACTIVE)
    .where('group.kind', '=', 'group')
    // Roles are checked before they are stored.
    .$castTo<GroupOfMember>()

export const listGroups = (db: Kysely<Database>, userId: string): Promise<GroupOfMember[]> =>
  groupsOfMember(db, userId).orderBy('membership.joined_at').orderBy('group.id').execute()

export const findGroup = async (db: Kysely<Database>, id: string, userId: string): Promise<GroupOfMember | null> =>
  (await groupsOfMember(db, userId).where('group.id', '=', id).executeTakeFirst()) ?? null

/** Also a deleted one, of either kind. */
export const findAnyGroup = async (db: Kysely<Database>, id: string): Promise<GroupRow | null> =>
  (await db.selectFrom('group').selectAll().where('id', '=', id).executeTakeFirst()) ?? null

/**
 * Makes other transactions that lock the same group wait until this one ends: an update that changes nothing, as
 * `lockUser` does it, and always after it. Also a deleted one, of either kind.
 */
export const lockGroup = async (trx: Kysely<Database>, id: string): Promise<GroupRow | null> =>
  (await trx
    .updateTable('group')
    .set((eb) => ({ created_at: eb.ref('created_at') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()) ?? null

/** By the HMAC of its code. */
export const findGroupIdByCode = async (db: Kysely<Database>, accessCode: string): Promise<string | null> =>
  (await db.selectFrom('group').select('id').where('access_code', '=', accessCode).executeTakeFirst())?.id ?? null

/** Null when the id or the code is taken. */
export const insertGroup = async (trx: Kysely<Database>, group: Insertable<GroupTable>): Promise<GroupRow | null> =>
  (await trx
    .insertInto('group')
    .values(group)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()) ?? null

export const updateGroup = async (trx: Kysely<Database>, id: string, set: Updateable<GroupTable>): Promise<void> => {
  await trx.updateTable('group').set(set).where('id', '=', id).execute()
}
