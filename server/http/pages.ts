// Pages of a chat, newest first and each oldest first within itself. A cursor names a segment and a place in it, so a
// reader walks to older segments one at a time; a page never spans two.
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { PAGE_LENGTH_MAX } from '../../shared/limits.ts'
import { documentName, parseDocumentName } from '../../shared/names.ts'
import type { AccessClaims } from '../auth/access-token.ts'
import { mustRead, type OperateDependencies, type Target, targetOf } from './operate.ts'
import { defineView } from './view.ts'

const PAGE_LENGTH = 50
const CURSOR_LENGTH_MAX = 200

/** Where a page ends: before this message of the segment, or, without one, at the segment's end. */
interface Cursor {
  readonly segment: number
  readonly message?: Placed
}

interface Placed {
  readonly sentAt: number
  readonly id: string
}

/** What of a chat's reader a page needs to know. */
interface ChatView {
  readonly messages: readonly (Placed & { readonly body: string })[]
}

const cursorParts = z.tuple([z.int().min(0), z.int().optional(), z.string().optional()])

const writeCursor = ({ segment, message }: Cursor): string =>
  Buffer.from(JSON.stringify(message ? [segment, message.sentAt, message.id] : [segment])).toString('base64url')

const readCursor = (text: string): Cursor | null => {
  try {
    const [segment, sentAt, id] = cursorParts.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
    return sentAt === undefined || id === undefined ? { segment } : { segment, message: { sentAt, id } }
  } catch {
    return null
  }
}

const badCursor = () => new AppError('input/invalid', 'before: not a cursor of this chat')

const pageQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_LENGTH_MAX)
    .default(PAGE_LENGTH)
    .meta({ description: 'Messages on a page.' }),
  before: z.string().max(CURSOR_LENGTH_MAX).optional().meta({ description: 'The cursor that the last page gave.' }),
})

const searchQuery = pageQuery.extend({
  q: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .meta({ description: 'What the text of a message must contain.', examples: ['lunch'] }),
})

const isBefore = (a: Placed, b: Placed): boolean => a.sentAt < b.sentAt || (a.sentAt === b.sentAt && a.id < b.id)

/**
 * One page of a chat, or of those of its messages that contain `q` in any case. `before` in the answer is there while
 * there may be older ones. Throws `input/invalid` for a cursor that is none.
 */
const readPage = async (
  { access, sync }: OperateDependencies,
  claims: AccessClaims,
  { kind, name }: Target,
  { limit, before, q }: z.output<typeof pageQuery> & { readonly q?: string },
) => {
  const read = mustRead(kind)
  const { id, part } = parseDocumentName((await access.openFor(claims, name)).name)
  const newest = Number(part)
  const cursor = before === undefined ? { segment: newest } : readCursor(before)
  if (!cursor || cursor.segment > newest) throw badCursor()

  const { segment, message } = cursor
  const view = (await sync.withDocument(documentName(kind.name, id, String(segment)), read)) as ChatView
  const wanted = q?.toLowerCase()
  const older = view.messages.filter(
    (one) => (!message || isBefore(one, message)) && (wanted === undefined || one.body.toLowerCase().includes(wanted)),
  )
  const messages = older.slice(-limit)
  const next: Cursor | null =
    messages.length < older.length
      ? { segment, message: messages[0] as Placed }
      : segment > 0
        ? { segment: segment - 1 }
        : null
  return { messages, segment, ...(next && { before: writeCursor(next) }) }
}

export const CHAT_PAGE = defineView({
  summary: 'Messages of a chat, the newest page first; each page is oldest first.',
  query: pageQuery,
  read: ({ deps, claims, id, part, query }) => readPage(deps, claims, targetOf('chat', id, part), query),
})

export const CHAT_SEARCH = defineView({
  summary: 'Messages of a chat that contain a text, in any case.',
  query: searchQuery,
  read: ({ deps, claims, id, part, query }) => readPage(deps, claims, targetOf('chat', id, part), query),
})
