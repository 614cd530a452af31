// Every limit of the product, with its unit in the name. Hitting one is a coded error that a test provokes.

const KIB = 1024
const MIB = 1024 * KIB

/** One WebSocket message, and so one update: large enough for a first import, small enough to judge at once. */
export const FRAME_BYTES_MAX = 4 * MIB
/** The state vector of a sync request. 64 KiB name about 8,000 client ids. */
export const STATE_VECTOR_BYTES_MAX = 64 * KIB
/** Encoded size of one document (reliability.md A5). */
export const DOCUMENT_BYTES_MAX = 10 * MIB
/** Root types of a free-form document. */
export const ROOTS_MAX = 16
/** Shared types and JSON values nest at most this deep (reliability.md A9). */
export const DEPTH_MAX = 32
/** UTF-8 bytes of a map key, an attribute name or a root name (reliability.md A10). */
export const KEY_BYTES_MAX = 256
/** New client ids in one update: a device that was offline for years brings fewer. */
export const NEW_CLIENTS_PER_UPDATE_MAX = 2_000
/** Documents inside a document; each takes some 2 KB of memory for 8 bytes on the wire. */
export const SUBDOCUMENTS_MAX = 1_000
/**
 * Elements copied when Yjs merges values that stand in a row, one struct each: it copies, and keeps, the rest of the row
 * for every one of them. Honest clients send rows merged.
 */
export const MERGED_VALUES_MAX = 10_000_000
/** Length of one garbage-collected or deleted run, in Yjs clock units (reliability.md A2). */
export const DELETED_RUN_MAX = 10_000_000
/** Yjs clocks stay within 31 bits (reliability.md A2). */
export const CLOCK_MAX = 2 ** 31 - 1
/** Client ids are 32 bits, as Yjs draws them. */
export const CLIENT_ID_MAX = 2 ** 32 - 1
/** The highest client ids are the server's: first one for each epoch of a document, then those of its own writes (projections, REST). */
export const SERVER_CLIENT_ID_MIN = CLIENT_ID_MAX - 4095
export const EPOCHS_MAX = 3_072
export const PROCESS_CLIENT_ID_MIN = SERVER_CLIENT_ID_MIN + EPOCHS_MAX
/**
 * A document gets a new epoch when its history takes so many bytes more than its content, or when so many client ids have
 * written to it (reliability.md A6, A7); and sooner when nobody has it open: when its history takes the greater half.
 */
export const HISTORY_BYTES_MAX = 2 * MIB
export const DOCUMENT_CLIENT_IDS_MAX = 2_000
export const HISTORY_SHARE_MAX = 0.5
/** Less than this bothers nobody. */
export const HISTORY_BYTES_MIN = 1 * MIB

/** Documents on one socket. */
export const DOCUMENTS_PER_SOCKET_MAX = 5_000
/** A socket that has opened no document by then is closed. */
export const HELLO_MS_MAX = 60_000
/** Frames that wait for their document to open, per socket, before the socket is paused. */
export const WAITING_FRAMES_MAX = 256
export const WAITING_BYTES_MAX = 8 * MIB
/** The same while no token of the socket was accepted yet (reliability.md A5). */
export const WAITING_BYTES_BEFORE_LOGIN_MAX = 256 * KIB
/** Unsent bytes of one socket: awareness is dropped above the first, the socket above the second. */
export const OUT_BYTES_SOFT_MAX = 4 * MIB
export const OUT_BYTES_HARD_MAX = 16 * MIB
/** Appended but not yet synced bytes of the journal; above it sockets that write are paused. */
export const UNSYNCED_BYTES_MAX = 16 * MIB
/** A socket that answers no ping for two beats is dropped. */
export const HEARTBEAT_MS = 30_000

/** Cursor awareness: encoded bytes of one message, ids of one connection, clock steps ahead of what is known. */
export const AWARENESS_BYTES_MAX = 4 * KIB
export const AWARENESS_IDS_PER_CONNECTION_MAX = 8
export const AWARENESS_CLOCK_AHEAD_MAX = 1_000
/** A state that is not renewed for this long is dropped, as y-protocols clients do. */
export const AWARENESS_TTL_MS = 30_000

/** Journal entries, or their bytes, after which a document gets a new snapshot. */
export const ENTRIES_BEFORE_SNAPSHOT = 256
export const BYTES_BEFORE_SNAPSHOT = 1 * MIB
/** Bytes that one commit takes from the queue, so that a burst cannot make a single commit slow. */
export const COMMIT_BYTES_MAX = 8 * MIB

/** HTTP request bodies. */
export const BODY_BYTES_MAX = 1 * MIB
/** `SIGTERM` to exit. */
export const STOP_MS_MAX = 10_000

export const USERNAME_LENGTH_MIN = 3
export const USERNAME_LENGTH_MAX = 20
export const EMAIL_LENGTH_MAX = 255
export const PASSWORD_LENGTH_MIN = 8
export const PASSWORD_LENGTH_MAX = 1_024
export const PERSON_NAME_LENGTH_MAX = 100
export const GROUP_NAME_LENGTH_MAX = 100
export const DESCRIPTION_BYTES_MAX = 2_000
export const CHANNEL_NAME_LENGTH_MAX = 100
/** Members of a group unless its admins set another number, and the numbers that they may set. */
export const GROUP_MEMBERS_MAX = 20
export const GROUP_MEMBERS_SETTING_MIN = 2
export const GROUP_MEMBERS_SETTING_MAX = 500
export const GROUPS_PER_USER_MAX = 100
export const CHANNELS_PER_GROUP_MAX = 500
/** Direct-message channels that one person starts. */
export const DIRECT_CHANNELS_STARTED_MAX = 500

/** Profiles. */
export const ABOUT_LENGTH_MAX = 500
export const SEARCH_LENGTH_MIN = 3
export const SEARCH_RESULTS_MAX = 20
/** The user's own settings and drafts: JSON of one value. */
export const SETTING_BYTES_MAX = 64 * KIB

/** An invite that nobody answers, and a share link with an end: at most this long. */
export const INVITE_MS = 30 * 24 * 3_600_000
export const SHARE_MS_MAX = 365 * 24 * 3_600_000
export const SHARES_PER_DOCUMENT_MAX = 50
export const INVITES_PER_GROUP_MAX = 500
export const CODE_USES_MAX = 10_000

/** A socket ticket: single use. */
export const TICKET_MS = 60_000
/** How often open documents are looked up again without a cause. */
export const REVIEW_MS = 5 * 60_000
/** Misses before a name's logins are slowed down; the first delay and the longest; misses before a reset is needed. */
export const LOGIN_MISSES_FREE = 5
export const LOGIN_DELAY_MS_MIN = 1_000
export const LOGIN_DELAY_MS_MAX = 15 * 60_000
/** Misses are forgotten when nobody tried the name for this long. */
export const LOGIN_MISSES_MS = 24 * 3_600_000
/** How often logins, tickets and misses that have run out are removed. */
export const SWEEP_LOGINS_MS = 3_600_000
/** Tickets that one socket was opened with and may show again. */
export const TICKETS_PER_SOCKET_MAX = 100
/** From then on after a login only the network of its address is kept. */
export const ADDRESS_MS = 30 * 24 * 3_600_000
export const DEVICE_NAME_LENGTH_MAX = 100
export const TIMEZONE_LENGTH_MAX = 64
/** What people are found by: terms of one person, and the length of each. */
export const SEARCH_TERMS_MAX = 12
export const SEARCH_TERM_LENGTH_MAX = 100
/** Repeats of a request with the same `Idempotency-Key` get the same answer for this long. */
export const IDEMPOTENCY_MS = 24 * 3_600_000
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255
/** A first request without an answer after this long was cut off, and a repeat may run. */
export const IDEMPOTENCY_RUNNING_MS_MAX = 60_000

export const ACCESS_TOKEN_MS = 15 * 60_000
export const SESSION_IDLE_MS = 7 * 24 * 3_600_000
export const SESSION_AGE_MS_MAX = 90 * 24 * 3_600_000
/** Clocks of two nodes may differ by this much when a token is checked. */
export const CLOCK_SKEW_MS_MAX = 30_000
/** How long a refresh whose answer got lost may be repeated with the old token. */
export const REFRESH_GRACE_MS = 10_000
/** Passwords that wait to be hashed; one takes some 30 ms, so the last in the queue waits about a second. */
export const WAITING_HASHES_MAX = 64
/** What is kept of the user agent of a session. */
export const USER_AGENT_LENGTH_MAX = 200

/** Tasks and cards. */
export const TITLE_LENGTH_MAX = 500
export const DETAILS_BYTES_MAX = 16 * KIB
export const LABEL_LENGTH_MAX = 50
export const LABELS_MAX = 20
export const COLUMN_NAME_LENGTH_MAX = 100
/** A position grows by two characters for each insert at one spot; beyond this the list is spread again. */
export const POSITION_LENGTH_MAX = 200
/** Chat. */
export const MESSAGE_BYTES_MAX = 16 * KIB
export const MESSAGE_TYPE_LENGTH_MAX = 20
export const ATTACHMENTS_PER_MESSAGE_MAX = 10
export const REACTIONS_PER_USER_AND_MESSAGE_MAX = 20
export const EDIT_MESSAGE_MS_MAX = 24 * 3_600_000
/** A chat's segment is sealed at either. */
export const MESSAGES_PER_SEGMENT = 500
export const SEGMENT_BYTES = 256 * KIB
export const PAGE_LENGTH_MAX = 100
/** Check-ins. */
export const SCORE_MIN = 1
export const SCORE_MAX = 10
export const ENERGY_MAX = 5
export const NOTE_BYTES_MAX = 4 * KIB
export const MOOD_LENGTH_MAX = 10
/** A check-in made in time may arrive this much later. */
export const LATE_MS_MAX = 7 * 24 * 3_600_000
/** Below this many participants a group's averages are withheld. */
export const PARTICIPANTS_MIN = 3
/** Operations of one person on one document that can be undone. */
export const UNDO_LENGTH_MAX = 100
/** A deleted record can be restored for this long. */
export const RESTORE_MS_MAX = 30 * 24 * 3_600_000
/** Documents: what one replacement may hold (requirement 11.2), and the versions that are kept of each. */
export const REPLACE_BYTES_MAX = 5 * MIB
export const NAMED_VERSIONS_MAX = 200
export const AUTOMATIC_VERSIONS_MAX = 50
export const AUTOMATIC_VERSION_MS = 10 * 60_000
export const VERSION_LABEL_LENGTH_MAX = 100
/** Presence: JSON bytes of what one connection says it is doing, and of one message of a client. */
export const PRESENCE_STATE_BYTES_MAX = 2 * KIB
export const PRESENCE_MESSAGE_BYTES_MAX = 2 * PRESENCE_STATE_BYTES_MAX
/** Changes of this long leave as one message for each group; a client announces no more often. */
export const PRESENCE_BATCH_MS = 100
/** A client says this often that it is still there; who has not said so three times in a row is not. */
export const PRESENCE_RENEW_MS = 15_000
export const PRESENCE_TTL_MS = 3 * PRESENCE_RENEW_MS
/** Typing ends by itself after the first, and is announced again after the second while it goes on (requirement 9.1). */
export const PRESENCE_TYPING_MS = 6_000
export const PRESENCE_TYPING_RENEW_MS = 2_000
/** Connections that take part in one group, and those of one user among them: the one heard of longest ago makes room. */
export const PRESENCE_CONNECTIONS_PER_GROUP_MAX = 1_000
export const PRESENCE_CONNECTIONS_PER_USER_MAX = 8
/** All states of one group together. */
export const PRESENCE_BYTES_PER_GROUP_MAX = 1 * MIB
/** When somebody was last seen is told to the minute, and remembered for so many members of all groups together. */
export const LAST_SEEN_STEP_MS = 60_000
export const LAST_SEEN_ENTRIES_MAX = 50_000
