// A chat as people see it: one row of messages over the segments that are open, newest last. New messages go to the newest
// segment; older ones are opened one at a time.
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import { CHAT_OPERATIONS } from '../../shared/chat/operations.ts'
import type { Message, readChat } from '../../shared/chat/model.ts'
import { documentName } from '../../shared/names.ts'
import type { Handle } from '../client-types.ts'
import { createListeners } from '../listeners.ts'
import type { InputOf } from './method.ts'

const [send, edit, remove, react] = CHAT_OPERATIONS

/** What is open of a chat: its newest segment, and as many before it as `older()` has opened. */
export interface ChatValue {
  /** Oldest first, by time and then id. */
  readonly messages: readonly Message[]
}

/** An open chat. Its methods throw `AppError`: `input/invalid`, `record/not-found`, `not-yours`, `message/too-old`, … */
export interface ChatHandle extends Omit<Handle<ChatValue>, 'run'> {
  /** Sends a message; returns its id, `userId.uuid`. */
  readonly send: (input: InputOf<typeof send>) => string
  readonly edit: (input: InputOf<typeof edit>) => void
  readonly delete: (input: InputOf<typeof remove>) => void
  readonly react: (input: InputOf<typeof react>) => void
  /** Opens one segment more, further back; false when the oldest is open. */
  readonly older: () => Promise<boolean>
  readonly hasOlder: () => boolean
}

export interface ChatHandleOptions {
  readonly channelId: string
  /** How many segments are known. */
  readonly segments: () => number
  readonly onSegments: (listener: () => void) => () => void
  readonly open: (document: string) => Promise<Handle<ReturnType<typeof readChat>>>
  readonly onError: (error: unknown) => void
}

type Segment = Handle<ReturnType<typeof readChat>>

const compareMessages = (a: Message, b: Message): number => a.sentAt - b.sentAt || (a.id < b.id ? -1 : 1)

export const KIND = CHAT_KIND

export const methods = async (options: ChatHandleOptions): Promise<ChatHandle> => {
  const changed = createListeners<ChatValue>()
  const closed = createListeners<void>()
  /** By number, oldest first. */
  const segments: Segment[] = []
  const undos: (() => void)[] = []
  const statusListeners = createListeners<Segment['status']>()
  let first = Math.max(0, options.segments() - 1)
  let seen: readonly (readonly Message[])[] = []
  let value: ChatValue = { messages: [] }

  const newest = (): Segment => segments.at(-1) as Segment

  const read = (): ChatValue => {
    const parts = segments.map((segment) => segment.read().messages)
    if (parts.length === seen.length && parts.every((part, index) => part === seen[index])) return value
    seen = parts
    value = { messages: parts.length === 1 ? (parts[0] as readonly Message[]) : parts.flat().toSorted(compareMessages) }
    return value
  }

  const add = async (number: number, at: 'start' | 'end'): Promise<void> => {
    const segment = await options.open(documentName('chat', options.channelId, String(number)))
    if (at === 'start') segments.unshift(segment)
    else segments.push(segment)
    undos.push(
      segment.subscribe(() => changed.tell(read())),
      segment.onStatus(() => statusListeners.tell(newest().status)),
    )
    changed.tell(read())
  }

  await add(first, 'end')

  // The server opened a new segment: messages go there from now on.
  let following: Promise<void> = Promise.resolve()
  const openNew = async (before: Promise<void>): Promise<void> => {
    await before
    for (let number = first + segments.length; number < options.segments(); number++) await add(number, 'end')
  }
  const follow = (): void => {
    following = openNew(following).catch(options.onError)
  }
  undos.push(options.onSegments(follow))
  follow()

  const holderOf = (messageId: string): Segment =>
    segments.find((segment) => segment.read().messages.some(({ id }) => id === messageId)) ?? newest()

  const last = { segment: newest() }
  const runIn = (segment: Segment, operation: string, input: unknown): unknown => {
    last.segment = segment
    return segment.run(operation, input as never)
  }

  return {
    get name() {
      return newest().name
    },
    get doc() {
      return newest().doc
    },
    get status() {
      return newest().status
    },
    read,
    subscribe: changed.add,
    onStatus: statusListeners.add,
    saved: async () => void (await Promise.all(segments.map((segment) => segment.saved()))),
    stored: async () => void (await Promise.all(segments.map((segment) => segment.stored()))),
    send: (input) => (runIn(newest(), send.name, input) as { readonly id: string }).id,
    edit: (input) => void runIn(holderOf(input.id), edit.name, input),
    delete: (input) => void runIn(holderOf(input.id), remove.name, input),
    react: (input) => void runIn(holderOf(input.id), react.name, input),
    // Of the segment that was written last.
    undo: () => last.segment.undo(),
    redo: () => last.segment.redo(),
    canUndo: () => last.segment.canUndo(),
    canRedo: () => last.segment.canRedo(),
    hasOlder: () => first > 0,
    older: async () => {
      if (first === 0) return false
      first--
      await add(first, 'start')
      return true
    },
    onClose: closed.add,
    close: async () => {
      for (const undo of undos.splice(0)) undo()
      closed.tell()
      await following
      await Promise.all(segments.map((segment) => segment.close()))
    },
  }
}
