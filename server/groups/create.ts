// Making a group. Its creator owns it; a repeat with the same id gives the same group again.
import { AppError } from '../../shared/errors.ts'
import { GROUP_MEMBERS_MAX } from '../../shared/limits.ts'
import { type Created, findAnyGroup, findGroup, type GroupOfMember, insertGroup } from '../../storage/groups.ts'
import { insertMember } from '../../storage/members.ts'
import { checkGroupsOf, mustLockSelf } from './admission.ts'
import { withFreshCode } from './codes.ts'
import { announce, type GroupDeps, type Trx } from './standing.ts'

export interface NewGroup {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly timezone: string
  readonly checkInFrequency: string
}

/** The creator's own group again; anybody else's id is taken, without saying whose. */
const repeatOf = async (trx: Trx, id: string, userId: string): Promise<GroupOfMember | null> => {
  const known = await findAnyGroup(trx, id)
  if (!known) return null
  const group = known.created_by === userId ? await findGroup(trx, id, userId) : null
  if (!group) throw new AppError('id/taken', 'this id is in use')
  return group
}

export const createGroup = async (
  deps: GroupDeps,
  actor: string,
  { checkInFrequency, ...input }: NewGroup,
): Promise<Created<GroupOfMember>> => {
  const { id } = input
  const now = deps.now()
  const made = await deps.storage.db.transaction().execute(async (trx) => {
    await mustLockSelf(trx, actor)
    const repeated = await repeatOf(trx, id, actor)
    if (repeated) return { row: repeated, created: false }
    await checkGroupsOf(trx, actor)
    await withFreshCode(deps.sealing, async (code) => {
      const inserted = await insertGroup(trx, {
        ...input,
        ...code,
        check_in_frequency: checkInFrequency,
        members_max: GROUP_MEMBERS_MAX,
        created_by: actor,
        created_at: now,
      })
      // Somebody else may have taken the id since we looked; then this throws.
      if (!inserted) await repeatOf(trx, id, actor)
      return inserted
    })
    await insertMember(trx, { group_id: id, user_id: actor, role: 'owner', joined_at: now })
    const group = await findGroup(trx, id, actor)
    if (!group) throw new Error('a group that was just made is missing')
    await deps.audit.add(trx, { actor, action: 'group.created', target: id })
    return { row: group, created: true }
  })
  if (made.created) await announce(deps, { groupId: id, users: [actor] })
  return made
}
