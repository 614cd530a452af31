// Rows of direct-message channels, each as one of its two people sees it.
import type { Kysely, Selectable } from 'kysely'
import { ACTIVE } from './access.ts'
import type { ChannelRow } from './channels.ts'
import type { Database, UserTable } from './schema.ts'

/** The channel, and who the other one is. */
export interface DirectChannel extends ChannelRow {
  readonly kind: string
  readonly other_id: string
  readonly other: Pick<Selectable<UserTable>, 'username' | 'name' | 'avatar' | 'privacy'>
  /** Whether the two are in a group together. */
  readonly shares_group: boolean
}

interface DirectRow extends ChannelRow {
  readonly other_id: string
  readonly username: string
  readonly other_name: string
  readonly avatar: string | null
  readonly privacy: string
}

const directs = (db: Kysely<Database>, userId: string) =>
  db
    .selectFrom('channel')
    .innerJoin('group', 'group.id', 'channel.group_id')
    .innerJoin('membership as mine', 'mine.group_id', 'group.id')
    .innerJoin('membership as theirs', 'theirs.group_id', 'group.id')
    .innerJoin('user', 'user.id', 'theirs.user_id')
    .selectAll('channel')
    .select(['theirs.user_id as other_id', 'user.username', 'user.name as other_name', 'user.avatar', 'user.privacy'])
    .where('group.kind', '=', 'direct')
    .where('mine.user_id', '=', userId)
    .where('mine.status', '=', ACTIVE)
    .where('theirs.user_id', '!=', userId)
    .$castTo<DirectRow>()

/** Those of these people whom the user is in a group with. */
const findCompanions = async (
  db: Kysely<Database>,
  userId: string,
  others: readonly string[],
): Promise<ReadonlySet<string>> => {
  if (others.length === 0) return new Set()
  const rows = await db
    .selectFrom('membership as mine')
    .innerJoin('membership as theirs', 'theirs.group_id', 'mine.group_id')
    .innerJoin('group', 'group.id', 'mine.group_id')
    .select('theirs.user_id')
    .distinct()
    .where('mine.user_id', '=', userId)
    .where('mine.status', '=', ACTIVE)
    .where('theirs.user_id', 'in', others)
    .where('theirs.status', '=', ACTIVE)
    .where('group.kind', '=', 'group')
    .execute()
  return new Set(rows.map(({ user_id }) => user_id))
}

const complete = async (db: Kysely<Database>, userId: string, rows: readonly DirectRow[]): Promise<DirectChannel[]> => {
  const companions = await findCompanions(
    db,
    userId,
    rows.map(({ other_id }) => other_id),
  )
  return rows.map(({ username, other_name: name, avatar, privacy, ...channel }) => ({
    ...channel,
    kind: 'direct',
    other: { username, name, avatar, privacy },
    shares_group: companions.has(channel.other_id),
  }))
}

/** Newest first. */
export const listDirects = async (db: Kysely<Database>, userId: string): Promise<DirectChannel[]> => {
  const rows = await directs(db, userId).orderBy('channel.created_at', 'desc').orderBy('channel.id').execute()
  return complete(db, userId, rows)
}

export const findDirect = async (db: Kysely<Database>, id: string, userId: string): Promise<DirectChannel | null> => {
  const rows = await directs(db, userId).where('channel.id', '=', id).execute()
  return (await complete(db, userId, rows))[0] ?? null
}

export const countDirectStartedBy = async (db: Kysely<Database>, userId: string): Promise<number> => {
  const { rows } = await db
    .selectFrom('group')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('kind', '=', 'direct')
    .where('created_by', '=', userId)
    .executeTakeFirstOrThrow()
  return rows
}
