// What `me/{id}` asks of the rows besides the user: the groups, and direct-message channels, they are in.
import type { Kysely, Selectable } from 'kysely'
import type { Role } from '../shared/access.ts'
import { ACTIVE } from './access.ts'
import type { Database, GroupTable } from './schema.ts'

export interface OwnGroup extends Pick<Selectable<GroupTable>, 'id' | 'name' | 'avatar' | 'kind'> {
  readonly role: Role
  readonly joined_at: number
}

/** Of both kinds, which `listGroups` is not. */
export const listOwnGroups = (db: Kysely<Database>, userId: string): Promise<OwnGroup[]> =>
  db
    .selectFrom('membership')
    .innerJoin('group', 'group.id', 'membership.group_id')
    .select(['group.id', 'group.name', 'group.avatar', 'group.kind', 'membership.role', 'membership.joined_at'])
    .where('membership.user_id', '=', userId)
    .where('membership.status', '=', ACTIVE)
    .$castTo<OwnGroup>()
    .execute()
