// A reconnect storm in miniature, played before the server listens: after a restart all clients come back at once, and
// the first hundreds of them would otherwise be served by code that is not compiled yet. Nothing of it is stored.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { AppError } from '../../shared/errors.ts'
import { idOf, parseDocumentName } from '../../shared/names.ts'
import { AuthType, MessageType, SyncType } from '../../shared/protocol.ts'
import type { Access, Grant } from '../access.ts'
import { createLogger } from '../log.ts'
import { readHead, readPayload, syncFrame, tokenFrame } from './frames.ts'
import { createSync, type SyncDeps } from './sync.ts'

const CLIENTS = 100
const EDITS = 8
const DOCUMENTS = [
  'document/rehearsal-01',
  'document/rehearsal-02',
  'document/rehearsal-03',
  'tasks/rehearsal-04',
  'tasks/rehearsal-05',
] as const
/** What each client is told: its offline edits are stored, and the one after them. */
const ANSWERS = 2
/** A machine too slow for this serves cold clients rather than none. */
const MS_MAX = 5_000
const USER = idOf<'user'>('rehearsal-nobody')
const NOTHING = new Uint8Array([0])

/** Holds nothing and takes everything. */
const STORE: SyncDeps['store'] = {
  load: async () => ({ snapshot: null, upTo: 0, updates: [], head: 0, tailEntries: 0, tailBytes: 0 }),
  loadClaims: async () => new Map(),
  append: async () => {},
  replace: async () => false,
  loadEpoch: async () => ({ epoch: 0, closing: null }),
  startEpoch: async () => false,
  openNextSegment: async () => false,
}

/** Lets in who knows `secret`, to everything: the port is open to this machine for a moment. */
const accessBy = (secret: string): Access => {
  const denied = () => Promise.reject(new AppError('permission-denied', 'this is only a rehearsal'))
  return {
    openDocument: async (token, name): Promise<Grant> => {
      if (token !== secret) return denied()
      const facts = { members: new Set([USER]), isSealed: false, groups: new Map() }
      const grant = { userId: USER, sessionId: '', deviceId: '', role: 'owner', readOnly: false, facts } as const
      return { ...grant, name: parseDocumentName(name).name }
    },
    openFor: denied,
    visitorOf: denied,
    isLive: async () => false,
  }
}

const write = (doc: Y.Doc, name: string, edit: number): void => {
  if (name.startsWith('document/')) {
    doc.getText('content').insert(0, 'word ')
    doc.getArray('list').push([{ text: 'an entry', at: edit }])
    doc.getMap('map').set(`key-${edit % 5}`, `value ${edit}`)
    return
  }
  const id = `task-${doc.clientID}-${edit}`.padEnd(12, '0')
  doc.getMap('tasks').set(id, { title: 'A task', position: 'a0', createdAt: 1, createdBy: USER })
  doc.getMap('tasks:edits').set(`${id}.title`, `value ${edit}`)
}

/** Comes back with edits, and writes one more when they are acknowledged. Resolves with the number of answers it did not get. */
const play = async (url: string, secret: string, index: number): Promise<number> => {
  const name = DOCUMENTS[index % DOCUMENTS.length] as string
  const doc = new Y.Doc({ guid: name })
  doc.clientID = index + 1
  for (let edit = 0; edit < EDITS; edit++) write(doc, name, edit)
  const answers = { stored: 0, refused: 0 }
  const socket = new WebSocket(url, { perMessageDeflate: false })
  socket.on('open', () => socket.send(tokenFrame(name, secret)))
  socket.on('message', (data: Buffer) => {
    const head = readHead(data)
    const kind = data[(head?.bodyAt ?? 0) + 1]
    if (head?.type === MessageType.Auth && kind === AuthType.Authenticated) {
      socket.send(syncFrame(name, SyncType.Step1, NOTHING))
    } else if (head?.type === MessageType.Sync && kind === SyncType.Step1) {
      const theirs = readPayload(data, head.bodyAt + 2)
      socket.send(syncFrame(name, SyncType.Step2, Y.encodeStateAsUpdate(doc, theirs)))
    } else if (head?.type === MessageType.SyncStatus) {
      answers[kind === 1 ? 'stored' : 'refused']++
      if (answers.stored === 1) {
        const before = Y.encodeStateVector(doc)
        write(doc, name, EDITS)
        socket.send(syncFrame(name, SyncType.Update, Y.encodeStateAsUpdate(doc, before)))
      } else socket.close()
    }
  })
  socket.on('error', () => {}) // It closes next.
  await once(socket, 'close')
  doc.destroy()
  return ANSWERS - answers.stored
}

/** Takes about 0.3 s. Resolves with the number of answers that did not come as they should: 0. */
export const rehearse = async (): Promise<number> => {
  const secret = randomUUID()
  await using sync = createSync({
    store: STORE,
    access: accessBy(secret),
    allowedOrigins: [],
    log: createLogger({ level: 'error', write: () => {} }),
    now: Date.now,
  })
  const server = createServer()
  sync.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/sync`
  const played = Promise.all(Array.from({ length: CLIENTS }, (_, index) => play(url, secret, index)))
  try {
    const missing = await Promise.race([played, setTimeout(MS_MAX, [CLIENTS * ANSWERS], { ref: false })])
    return missing.reduce((sum, count) => sum + count, 0)
  } finally {
    server.close()
  }
}
