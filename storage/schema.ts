// The tables, as Kysely types. Times are milliseconds since the epoch; ids are made by the client where it can.
import type { Generated } from 'kysely'

export interface Database {
  user: UserTable
  session: SessionTable
  group: GroupTable
  membership: MembershipTable
  channel: ChannelTable
  document: DocumentTable
  document_update: DocumentUpdateTable
  document_snapshot: DocumentSnapshotTable
  client_claim: ClientClaimTable
  document_version: DocumentVersionTable
}

export interface UserTable {
  id: string
  /** Lower case; unique. */
  username: string
  /** Lower case; unique where given. */
  email: string | null
  name: string
  /** argon2id of the peppered password, in PHC form. */
  password_hash: string
  created_at: number
}

/** One refresh token. A family is one login: each refresh adds a row and marks the one before as replaced. */
export interface SessionTable {
  /** SHA-256 of the refresh token, hex. The token itself is nowhere. */
  id_hash: string
  family_id: string
  user_id: string
  device_id: string | null
  user_agent: string | null
  /** When the login happened, not this row. */
  login_at: number
  created_at: number
  expires_at: number
  replaced_at: number | null
}

export interface GroupTable {
  id: string
  name: string
  description: string
  timezone: string
  check_in_frequency: string
  access_code: string
  members_max: number
  created_by: string | null
  created_at: number
}

export interface MembershipTable {
  group_id: string
  user_id: string
  role: string
  joined_at: number
}

export interface ChannelTable {
  id: string
  group_id: string
  type: string
  name: string
  created_by: string | null
  created_at: number
  /** How many segments its chat has; all but the newest are sealed. */
  segments: Generated<number>
}

export interface DocumentTable {
  /** Short and internal: the journal's index is written at random, so its keys must be small. */
  id: Generated<number>
  /** `kind/id[/part]`; unique. */
  name: string
  /** The number of the newest journal entry; 0 before the first. */
  head: number
  epoch: Generated<number>
}

/** The journal. One entry holds the updates of one document in one commit, each as lib0 `varUint8Array`. */
export interface DocumentUpdateTable {
  document_id: number
  seq: number
  data: Uint8Array
}

/** The merged state of a document up to and including journal entry `up_to`. */
export interface DocumentSnapshotTable {
  document_id: number
  up_to: number
  data: Uint8Array
}

/** Which user owns a Yjs client id in a document. First come; for ever. */
export interface ClientClaimTable {
  document_id: number
  client_id: number
  user_id: string
}

/** A document as it once was. */
export interface DocumentVersionTable {
  id: string
  document_id: number
  /** What people call it; none for automatic ones. */
  label: string | null
  /** Null for automatic ones. */
  created_by: string | null
  created_at: number
  /** 1 or 0. */
  is_automatic: number
  /** The full state. */
  state: Uint8Array
}
