// Who may do what: one pure rule over facts, asked by HTTP, by sockets and by share links alike.

/** Roles of a group, lowest first. A guest reads. */
export const ROLES = ['guest', 'member', 'moderator', 'admin', 'owner'] as const
export type Role = (typeof ROLES)[number]

/**
 * `read`, `write` and `moderate` are about documents; `manage` is about the group's settings, channels, codes and members;
 * `own` is about the group's existence. `invite` and `kick` can be given to a member each.
 */
export const ACTIONS = ['read', 'write', 'invite', 'moderate', 'kick', 'manage', 'own'] as const
export type Action = (typeof ACTIONS)[number]

const NEEDS: Readonly<Record<Action, Role>> = {
  read: 'guest',
  write: 'member',
  invite: 'admin',
  moderate: 'moderator',
  kick: 'admin',
  manage: 'admin',
  own: 'owner',
}

/** Rights that a membership may have beside its role. */
export interface Given {
  readonly canInvite?: boolean
  readonly canKick?: boolean
}

const rankOf = (role: Role): number => ROLES.indexOf(role)

/** Whether a person with `role` in the group (null: not a member) may do `action` there. Guests are given nothing. */
export const can = (role: Role | null, action: Action, given: Given = {}): boolean => {
  if (role === null) return false
  if (rankOf(role) >= rankOf(NEEDS[action])) return true
  if (role === 'guest') return false
  return (action === 'invite' && given.canInvite === true) || (action === 'kick' && given.canKick === true)
}

/**
 * Whether somebody with `role`, who has the right to do so at all, may take in, change or remove a member of role `other`:
 * never one above oneself; admins are the owner's to manage, and the owner is nobody's.
 */
export const mayManage = (role: Role, other: Role): boolean => {
  if (other === 'owner') return false
  return role === 'owner' || (other !== 'admin' && rankOf(other) <= rankOf(role))
}
