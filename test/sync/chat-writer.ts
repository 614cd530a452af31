// A person in a chat as the SDK will be one: writes messages offline, sends each as an update of its own, keeps what was
// refused because its segment is sealed, and sends it again to the newest.
import * as Y from 'yjs'
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import { readChat } from '../../shared/chat/model.ts'
import { type OperationContext, runOperation } from '../../shared/operation.ts'
import type { Person } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { connectWire, type WireClient, type WireDocument } from '../helpers/wire-client.ts'

/** Recovers from refusals by itself, so its documents stay open. */
const VERSION = 'syncline/test'

export interface OpenSegment {
  readonly doc: Y.Doc
  readonly document: WireDocument
  /** Runs an operation on the local doc; resolves to the code of the refusal, or null once it is stored. */
  readonly run: (operation: string, input: unknown, ctx?: Partial<OperationContext>) => Promise<string | null>
  /** The messages as this client sees them. */
  readonly messages: () => readonly string[]
}

export interface ChatWriter extends Disposable {
  readonly person: Person
  /** The segment, which is opened once. */
  readonly open: (name: string) => Promise<OpenSegment>
}

const contextOf = ({ id }: Person, more: Partial<OperationContext>): OperationContext => ({
  actor: id,
  role: 'member',
  now: Date.now(),
  members: new Set(),
  // What a device knows that was offline.
  isSealed: false,
  groups: new Map(),
  deviceId: 'device-00000001',
  newId: () => crypto.randomUUID(),
  random: () => 0.5,
  ...more,
})

const openSegment = async (client: WireClient, person: Person, name: string): Promise<OpenSegment> => {
  const document = await client.open(name, person.accessToken, VERSION)
  /** What the server is known to have; `doc` is that and what is on its way there. */
  const stored = new Y.Doc()
  let doc = new Y.Doc()
  let isSynced = false
  document.onUpdate = (update) => {
    for (const one of [stored, doc]) Y.applyUpdate(one, update)
    isSynced = true
  }
  document.sendStep1(Y.encodeStateVector(doc))
  await eventually(
    () => isSynced,
    (synced) => synced,
    { what: `the state of ${name}` },
  )
  const answers: ((positive: boolean) => void)[] = []
  document.onAck = (positive) => answers.shift()?.(positive)
  const send = (update: Uint8Array): Promise<string | null> =>
    new Promise((resolve) => {
      answers.push((positive) => {
        if (positive) resolve(null)
        // The refusal's reason follows at once.
        else
          void eventually(
            () => document.stateless.shift() as { code: string } | undefined,
            (message) => message !== undefined,
          ).then((message) => resolve(message?.code ?? ''))
      })
      document.sendUpdate(update)
    })
  return {
    get doc() {
      return doc
    },
    document,
    messages: () => readChat(doc).messages.map(({ body }) => body),
    run: async (name_, input, more = {}) => {
      const operation = CHAT_KIND.operations.find(({ name: one }) => one === name_)
      if (!operation) throw new Error(`no operation ${name_}`)
      const updates: Uint8Array[] = []
      const listen = (update: Uint8Array): void => void updates.push(update)
      doc.on('update', listen)
      runOperation(CHAT_KIND, operation, doc, input, contextOf(person, more))
      doc.off('update', listen)
      const [update] = updates
      if (!update) return null
      const code = await send(update)
      if (code === null) Y.applyUpdate(stored, update)
      else {
        // What was refused is taken out of the local doc again, under a new client id.
        doc = new Y.Doc()
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(stored))
      }
      return code
    },
  }
}

export const openChatWriter = async (syncUrl: string, person: Person): Promise<ChatWriter> => {
  const client = await connectWire(syncUrl)
  const segments = new Map<string, OpenSegment>()
  return {
    person,
    open: async (name) => {
      const segment = segments.get(name) ?? (await openSegment(client, person, name))
      segments.set(name, segment)
      return segment
    },
    [Symbol.dispose]: () => client.close(),
  }
}
