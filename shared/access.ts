// Who may do what: one pure rule over facts, asked by HTTP and by sockets alike.

/** Roles of a group, lowest first. A guest reads. */
export const ROLES = ['guest', 'member', 'moderator', 'admin', 'owner'] as const
export type Role = (typeof ROLES)[number]

export type Action = 'read' | 'write' | 'moderate' | 'manage'

const NEEDS: Record<Action, Role> = { read: 'guest', write: 'member', moderate: 'moderator', manage: 'admin' }

/** Whether a person with `role` in the group (null: not a member) may do `action` there. */
export const can = (role: Role | null, action: Action): boolean =>
  role !== null && ROLES.indexOf(role) >= ROLES.indexOf(NEEDS[action])
