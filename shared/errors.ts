// The closed table of everything that can go wrong by somebody's doing. One code per cause; its HTTP status, its close
// code and whether a retry can help are columns. Codes of HTTP and of opening are `area/what`; a refused update carries
// a bare word, because its area is always the update.

interface ErrorRow {
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503
  /** WebSocket close code. 4400–4499 tells a y-websocket client not to come back. */
  readonly close: number
  readonly retry: boolean
}

export const ERRORS = {
  'input/invalid': { status: 422, close: 4422, retry: false },
  'input/not-json': { status: 400, close: 4400, retry: false },
  'input/too-large': { status: 413, close: 1009, retry: false },
  'http/no-route': { status: 404, close: 4404, retry: false },
  'auth/required': { status: 401, close: 4401, retry: false },
  'auth/bad-credentials': { status: 401, close: 4401, retry: false },
  'auth/token-invalid': { status: 401, close: 4401, retry: false },
  'auth/token-reused': { status: 401, close: 4401, retry: false },
  'auth/name-taken': { status: 409, close: 4409, retry: false },
  'auth/busy': { status: 429, close: 1013, retry: true },
  'auth/locked': { status: 429, close: 4429, retry: true },
  'auth/password-wrong': { status: 403, close: 4403, retry: false },
  'access/forbidden': { status: 403, close: 4403, retry: false },
  'access/not-found': { status: 404, close: 4404, retry: false },
  'group/full': { status: 409, close: 4409, retry: false },
  'group/banned': { status: 403, close: 4403, retry: false },
  'group/last-owner': { status: 409, close: 4409, retry: false },
  'group/confirm': { status: 409, close: 4409, retry: false },
  'group/member-unknown': { status: 404, close: 4404, retry: false },
  'group/code-unknown': { status: 404, close: 4404, retry: false },
  'group/too-many': { status: 409, close: 4409, retry: false },
  'group/already-member': { status: 409, close: 4409, retry: false },
  'invite/too-many': { status: 409, close: 4409, retry: false },
  'channel/too-many': { status: 409, close: 4409, retry: false },
  'version/stale': { status: 409, close: 4409, retry: false },
  'share/too-many': { status: 409, close: 4409, retry: false },
  'idempotency/mismatch': { status: 422, close: 4422, retry: false },
  'idempotency/running': { status: 409, close: 4409, retry: true },
  'rate/too-many': { status: 429, close: 4429, retry: true },
  'id/taken': { status: 409, close: 4409, retry: false },
  'checkin/duplicate': { status: 409, close: 4409, retry: false },
  'record/not-found': { status: 404, close: 4404, retry: false },
  'message/too-old': { status: 409, close: 4409, retry: false },
  'message/too-many-reactions': { status: 409, close: 4409, retry: false },
  'version/too-many': { status: 409, close: 4409, retry: false },
  'operation/unknown': { status: 404, close: 4404, retry: false },
  'document/bad-name': { status: 404, close: 4404, retry: false },
  'storage/unavailable': { status: 503, close: 1013, retry: true },
  'server/stopping': { status: 503, close: 1012, retry: true },
  internal: { status: 500, close: 1011, retry: true },

  // A right was lost while a document was open.
  'revoked/access': { status: 403, close: 4403, retry: false },
  'revoked/session': { status: 401, close: 4401, retry: false },
  'revoked/write': { status: 403, close: 4403, retry: false },

  // Opening and using a socket.
  'permission-denied': { status: 404, close: 4403, retry: false },
  'socket/bad-frame': { status: 400, close: 4400, retry: false },
  'socket/too-many-documents': { status: 429, close: 4429, retry: false },
  'socket/no-login': { status: 401, close: 4401, retry: false },

  // A refused update (design 4.2).
  malformed: { status: 400, close: 4422, retry: false },
  gap: { status: 409, close: 4409, retry: false },
  'read-only': { status: 403, close: 4403, retry: false },
  'client-id-taken': { status: 409, close: 4409, retry: false },
  'root-not-allowed': { status: 422, close: 4422, retry: false },
  'key-not-allowed': { status: 422, close: 4422, retry: false },
  /** A shared type, a list or bytes where plain JSON belongs. */
  'type-not-allowed': { status: 422, close: 4422, retry: false },
  'value-not-allowed': { status: 422, close: 4422, retry: false },
  'delete-not-allowed': { status: 403, close: 4403, retry: false },
  'not-yours': { status: 403, close: 4403, retry: false },
  'not-a-member': { status: 422, close: 4422, retry: false },
  'epoch-ended': { status: 409, close: 4409, retry: false },
  'segment-sealed': { status: 409, close: 4409, retry: false },
  'period-closed': { status: 409, close: 4409, retry: false },
  'too-deep': { status: 422, close: 4422, retry: false },
  'too-large': { status: 413, close: 4413, retry: false },
} as const satisfies Record<string, ErrorRow>

/**
 * Why something was refused: `area/what`, or a bare word where an update was. The set is closed; it grows with new releases,
 * and a client shows a code that it does not know as `internal`.
 */
export type ErrorCode = keyof typeof ERRORS

/** Anything that is the caller's to know. Broken invariants are plain errors and reach callers as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message)
    this.name = 'AppError'
    this.code = code
    this.details = details
  }
}
