// The tables, as Kysely types. Times are milliseconds since the epoch; ids are made by the client where it can.
import type { Generated } from 'kysely'

export interface Database {
  user: UserTable
  user_search: UserSearchTable
  session: SessionTable
  group: GroupTable
  membership: MembershipTable
  channel: ChannelTable
  document: DocumentTable
  document_update: DocumentUpdateTable
  document_snapshot: DocumentSnapshotTable
  client_claim: ClientClaimTable
  previous_epoch: PreviousEpochTable
  document_version: DocumentVersionTable
  invite: InviteTable
  share: ShareTable
  ticket: TicketTable
  login_failure: LoginFailureTable
  idempotency: IdempotencyTable
  audit_log: AuditLogTable
  audit_head: AuditHeadTable
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
  about: Generated<string>
  /** The id of a media row. */
  avatar: Generated<string | null>
  /** IANA name. */
  timezone: Generated<string>
  /** JSON: what others see. */
  privacy: Generated<string>
  last_login_at: Generated<number | null>
  last_active_at: Generated<number | null>
}

/** What a person is found by: the user name, and the name from each of its words on. Kept by `users.ts`. */
export interface UserSearchTable {
  user_id: string
  /** Folded by `foldName`; sorts by code points. */
  term: string
  /** The user's `privacy.profile`, so that who may not find somebody does not read the row. */
  audience: string
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
  ip: Generated<string | null>
  device_name: Generated<string | null>
}

export interface GroupTable {
  id: string
  name: string
  description: string
  timezone: string
  check_in_frequency: string
  /** HMAC of the code; unique. The code itself is readable nowhere in the database. */
  access_code: string
  /** The code, sealed with a key outside the database, to show it to those who may invite. Empty: there is none. */
  code_sealed: Generated<string>
  code_expires_at: Generated<number | null>
  /** Null: any number. */
  code_uses_left: Generated<number | null>
  members_max: number
  /** `group`, or `direct`: the two people of a direct-message channel. */
  kind: Generated<string>
  /** The id of a media row. */
  avatar: Generated<string | null>
  /** 1 or 0: members may invite without being given the right each. */
  allow_member_invite: Generated<number>
  /** Grows with each change of the settings. */
  version: Generated<number>
  created_by: string | null
  created_at: number
  /** Nobody is an active member from then on. */
  deleted_at: Generated<number | null>
}

export interface MembershipTable {
  group_id: string
  user_id: string
  role: string
  joined_at: number
  /** `active`; `banned`, which beats every code and invite; `ended` with its group. Only active ones give rights. */
  status: Generated<string>
  /** 1 or 0. */
  can_invite: Generated<number>
  can_kick: Generated<number>
}

/** Somebody was asked to join; at most once at a time for a group. */
export interface InviteTable {
  id: string
  group_id: string
  user_id: string
  role: string
  invited_by: string | null
  created_at: number
  expires_at: number
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
  /** Grows with each change. */
  version: Generated<number>
  deleted_at: Generated<number | null>
}

/** A link that opens one document for whoever has it. Ending it deletes the row. */
export interface ShareTable {
  id: string
  /** SHA-256 of the link's secret, hex. */
  secret_hash: string
  channel_id: string
  /** The document's name. */
  document: string
  /** `guest` reads, `member` writes. */
  role: string
  created_by: string | null
  created_at: number
  expires_at: number | null
}

export interface DocumentTable {
  /** Short and internal: the journal's index is written at random, so its keys must be small. */
  id: Generated<number>
  /** `kind/id[/part]`; unique. */
  name: string
  /** The number of the newest journal entry; 0 before the first. */
  head: number
  /** How often its history was dropped. */
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
  /** Empty for an id of an older epoch: it is nobody's any more. */
  user_id: string
}

/** The state in which the epoch before the present one ended; documents of their first epoch have none. */
export interface PreviousEpochTable {
  document_id: number
  data: Uint8Array
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

/** Opens one socket, once. */
export interface TicketTable {
  id_hash: string
  family_id: string
  user_id: string
  expires_at: number
}

/** Failed logins by name, also by names that nobody has. */
export interface LoginFailureTable {
  /** HMAC of the normalised identifier. */
  name_hash: string
  failures: number
  last_at: number
  locked_until: number
}

/** An answer that a repeat of the same request gets again. */
export interface IdempotencyTable {
  /** HMAC of who asked and the key they gave. */
  key_hash: string
  request_hash: string
  /** Null while the first request is running. */
  status: number | null
  /** Sealed: it may hold tokens. */
  answer_sealed: string | null
  created_at: number
}

/** A chain: each row's hash covers the row and the hash of the one before it. */
export interface AuditLogTable {
  seq: number
  at: number
  actor: string | null
  action: string
  target: string | null
  /** JSON. */
  details: string
  hash: string
}

/** One row: the end of the chain. Whoever adds to the log takes it first, so entries have one order. */
export interface AuditHeadTable {
  id: number
  seq: number
  hash: string
}
