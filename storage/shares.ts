// Rows of share links: each opens one document for whoever has its secret, of which only the hash is here.
import type { Insertable, Kysely, Selectable } from 'kysely'
import type { Role } from '../shared/access.ts'
import { AppError } from '../shared/errors.ts'
import { SHARES_PER_DOCUMENT_MAX } from '../shared/limits.ts'
import type { Database, ShareTable } from './schema.ts'

export type ShareRow = Selectable<ShareTable> & { readonly role: Role }

/** Links that work now: not past their end, of a channel and a group that are there. */
const goodShares = (db: Kysely<Database>, now: number) =>
  db
    .selectFrom('share')
    .innerJoin('channel', 'channel.id', 'share.channel_id')
    .innerJoin('group', 'group.id', 'channel.group_id')
    .selectAll('share')
    .where((eb) => eb.or([eb('share.expires_at', 'is', null), eb('share.expires_at', '>', now)]))
    .where('channel.deleted_at', 'is', null)
    .where('group.deleted_at', 'is', null)
    // Roles are checked before they are stored.
    .$castTo<ShareRow>()

export const findShareBySecret = async (
  db: Kysely<Database>,
  secretHash: string,
  now: number,
): Promise<ShareRow | null> =>
  (await goodShares(db, now).where('share.secret_hash', '=', secretHash).executeTakeFirst()) ?? null

export const findShare = async (db: Kysely<Database>, id: string, now: number): Promise<ShareRow | null> =>
  (await goodShares(db, now).where('share.id', '=', id).executeTakeFirst()) ?? null

/** The links of a document, newest first. */
export const listShares = (db: Kysely<Database>, document: string, now: number): Promise<ShareRow[]> =>
  goodShares(db, now)
    .where('share.document', '=', document)
    .orderBy('share.created_at', 'desc')
    .orderBy('share.id')
    .execute()

/** Throws `share/too-many`. */
export const insertShare = async (trx: Kysely<Database>, row: Insertable<ShareTable>): Promise<void> => {
  const { rows } = await trx
    .selectFrom('share')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .where('document', '=', row.document)
    .executeTakeFirstOrThrow()
  const max = SHARES_PER_DOCUMENT_MAX
  if (rows >= max) throw new AppError('share/too-many', `at most ${max} links to a document`, { max })
  await trx.insertInto('share').values(row).execute()
}

export const deleteShare = async (trx: Kysely<Database>, id: string): Promise<void> => {
  await trx.deleteFrom('share').where('id', '=', id).execute()
}
