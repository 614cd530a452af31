// What every kind's rules are made of: who asks, what is known, one change, and the answer. The same rules are asked by
// the socket's verdict, by REST and by the SDK. The state of the document is no argument (design 3.3).
import type { Role } from './access.ts'
import type { ErrorCode } from './errors.ts'

/** One key of one root Y.Map gets a new value, or none. `value` is what came, not yet checked. */
export interface Change {
  readonly root: string
  readonly key: string
  /** `undefined`: the key is deleted. */
  readonly value: unknown
}

export interface Refusal {
  readonly code: ErrorCode
  /** `root/key`; for a record's field `root/id.field`. */
  readonly path: string
}

/** What the rules of check-ins know of a group the writer belongs to. */
export interface GroupFacts {
  /** IANA name. */
  readonly timezone: string
  readonly frequency: 'daily' | 'weekly' | 'biweekly'
  readonly createdAt: number
  /** When the writer became a member. */
  readonly joinedAt: number
}

/** Loaded before a change is judged; nothing here comes from the document. */
export interface Facts {
  /** The writer's user id. */
  readonly actor: string
  readonly role: Role
  readonly now: number
  /** User ids of the group the document belongs to. */
  readonly members: ReadonlySet<string>
  /** Chat: the segment takes no new messages. */
  readonly isSealed: boolean
  /** Check-ins: the writer's groups by id. */
  readonly groups: ReadonlyMap<string, GroupFacts>
}

/** Null: allowed. */
export type Rule = (change: Change, facts: Facts) => Refusal | null

export const refuse = ({ root, key }: Change, code: ErrorCode): Refusal => ({ code, path: `${root}/${key}` })
