// Access codes of groups: made, read as people type them, and kept so that the database shows none: found by an HMAC,
// shown again by unsealing.
import { randomInt } from 'node:crypto'
import { AppError } from '../../shared/errors.ts'
import {
  findGroupIdByCode,
  findGroup,
  type GroupOfMember,
  type GroupRow,
  lockGroup,
  updateGroup,
} from '../../storage/groups.ts'
import type { Sealing } from '../sealing.ts'
import { admit, isIn, mustLockSelf } from './admission.ts'
import {
  announce,
  type GroupDeps,
  type InGroup,
  lockStanding,
  mayInvite,
  mustBeAble,
  noSuchGroup,
  type Trx,
} from './standing.ts'

/** Crockford's base 32: no I, L, O, U, so that a code survives being read aloud and typed. */
const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LENGTH = 10
const CODE = new RegExp(`^[${CODE_ALPHABET}]{${CODE_LENGTH}}$`)
const PURPOSE = 'access-code'
/** Tries of a code that happens to be in use; with 50 random bits the second never comes. */
const CODE_TRIES = 3

const newCode = (): string =>
  Array.from({ length: CODE_LENGTH }, () => CODE_ALPHABET.charAt(randomInt(CODE_ALPHABET.length))).join('')

/** As a person may type it. Null when it cannot be a code. */
const readCode = (text: string): string | null => {
  const code = text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  return CODE.test(code) ? code : null
}

type CodeColumns = Pick<GroupRow, 'access_code' | 'code_sealed' | 'code_expires_at' | 'code_uses_left'>

/** A group without a code still needs a value of its own in the column, which no HMAC can be. */
export const noCode = (groupId: string): CodeColumns => ({
  access_code: `none:${groupId}`,
  code_sealed: '',
  code_expires_at: null,
  code_uses_left: null,
})

/** A code that lets any number in, for ever. */
export const freshCode = (sealing: Sealing): CodeColumns => {
  const code = newCode()
  return {
    access_code: sealing.lookUp(code, PURPOSE),
    code_sealed: sealing.seal(code, PURPOSE),
    code_expires_at: null,
    code_uses_left: null,
  }
}

/** Calls `tryOne` until it has found a code that nobody has; it resolves to null for one that is in use. */
export const withFreshCode = async <Result>(
  sealing: Sealing,
  tryOne: (code: CodeColumns) => Promise<Result | null>,
): Promise<Result> => {
  for (let attempt = 0; attempt < CODE_TRIES; attempt += 1) {
    const result = await tryOne(freshCode(sealing))
    if (result !== null) return result
  }
  throw new Error('no free access code')
}

const isUsable = (group: CodeColumns, now: number): boolean =>
  (group.code_expires_at === null || group.code_expires_at > now) &&
  (group.code_uses_left === null || group.code_uses_left > 0)

/** The code as those see it who may invite; null for others, and when there is none that opens. */
export const shownCode = (sealing: Sealing, group: GroupOfMember, now: number): string | null =>
  mayInvite(group, group) && group.code_sealed !== '' && isUsable(group, now)
    ? sealing.unseal(group.code_sealed, PURPOSE)
    : null

const codeUnknown = (): AppError => new AppError('group/code-unknown', 'no group has this code')

/** The group that has the code now, locked. */
const lockByCode = async (trx: Trx, accessCode: string): Promise<GroupRow> => {
  const groupId = await findGroupIdByCode(trx, accessCode)
  const group = groupId === null ? null : await lockGroup(trx, groupId)
  if (!group || group.access_code !== accessCode || group.deleted_at !== null) throw codeUnknown()
  return group
}

/** Makes the user a member; a member already keeps role and place, and uses nothing up. */
export const joinByCode = async (
  deps: GroupDeps,
  { code: text, userId }: { readonly code: string; readonly userId: string },
): Promise<GroupOfMember> => {
  const code = readCode(text)
  if (!code) throw codeUnknown()
  const accessCode = deps.sealing.lookUp(code, PURPOSE)
  const now = deps.now()
  const { group, joined } = await deps.storage.db.transaction().execute(async (trx) => {
    await mustLockSelf(trx, userId)
    const found = await lockByCode(trx, accessCode)
    const already = await findGroup(trx, found.id, userId)
    if (already) return { group: already, joined: false }
    if (!isUsable(found, now)) throw codeUnknown()
    await isIn(trx, found.id, userId)
    await admit(trx, found, { userId, role: 'member', now })
    if (found.code_uses_left !== null) await updateGroup(trx, found.id, { code_uses_left: found.code_uses_left - 1 })
    const member = await findGroup(trx, found.id, userId)
    if (!member) throw new Error('a member that was just added is missing')
    const details = { group: found.id, by: 'code' }
    await deps.audit.add(trx, { actor: userId, action: 'member.joined', target: userId, details })
    return { group: member, joined: true }
  })
  if (joined) await announce(deps, { groupId: group.id, users: [userId] })
  return group
}

/** Gives the group another code, or none: the one before opens nothing any more. */
export const changeCode = (
  deps: GroupDeps,
  { groupId, actor }: InGroup,
  wanted: { readonly expiresIn?: number | undefined; readonly maxUses?: number | undefined } | null,
): Promise<GroupOfMember> =>
  deps.storage.db.transaction().execute(async (trx) => {
    const { self } = await lockStanding(trx, { groupId, actor })
    mustBeAble(self, 'manage')
    if (wanted) {
      const limits = {
        code_expires_at: wanted.expiresIn === undefined ? null : deps.now() + wanted.expiresIn,
        code_uses_left: wanted.maxUses ?? null,
      }
      await withFreshCode(deps.sealing, async (code) => {
        if ((await findGroupIdByCode(trx, code.access_code)) !== null) return null
        await updateGroup(trx, groupId, { ...code, ...limits })
        return true
      })
    } else await updateGroup(trx, groupId, noCode(groupId))
    const group = await findGroup(trx, groupId, actor)
    if (!group) throw noSuchGroup()
    const details = { removed: wanted === null }
    await deps.audit.add(trx, { actor, action: 'group.code-changed', target: groupId, details })
    return group
  })
