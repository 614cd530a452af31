// Somebody else on the attacked server, in a process of its own so that an attacker's work cannot be mistaken for the
// server's: pings, and edits a document of its own. Prints how long each answer took, in ms: `ping 0.4`, `ack 2.1`.
// Arguments: address of the socket, token, document.
import * as Y from 'yjs'
import { MessageType } from '../../shared/protocol.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { tokenFrame } from './attacker.ts'

const PAUSE_MS = 5
/** An edit replaces what the one before it wrote now and then, so that the document stays small. */
const TEXT_LENGTH_MAX = 200

const [syncUrl, token, name] = process.argv.slice(2) as [string, string, string]
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
const print = (what: string, since: number): void => {
  process.stdout.write(`${what} ${(performance.now() - since).toFixed(2)}\n`)
}

/** On a socket of its own, logged in: one that never does is closed. */
const ping = async (): Promise<never> => {
  const { socket } = await connectWire(syncUrl)
  // In place of the wire client's own listener, which reads addressed frames only.
  socket.removeAllListeners('message')
  socket.on('close', () => process.exit(1))
  let onPong = (): void => {}
  socket.on('message', (data: Buffer) => {
    if (data.length === 1 && data[0] === MessageType.Pong) onPong()
  })
  socket.send(tokenFrame(name, token))
  for (;;) {
    const since = performance.now()
    const { promise: answered, resolve } = Promise.withResolvers<void>()
    onPong = resolve
    socket.send(Uint8Array.of(MessageType.Ping))
    await answered
    print('ping', since)
    await pause()
  }
}

const edit = async (): Promise<never> => {
  const client = await connectWire(syncUrl)
  const document = await client.open(name, token)
  const doc = new Y.Doc()
  doc.on('update', document.sendUpdate)
  const text = doc.getText('text')
  for (;;) {
    const since = performance.now()
    const { promise: acked, resolve, reject } = Promise.withResolvers<void>()
    document.onAck = (positive) => (positive ? resolve() : reject(new Error('refused')))
    if (text.length < TEXT_LENGTH_MAX) text.insert(text.length, 'x')
    else text.delete(0, text.length)
    await acked
    print('ack', since)
    await pause()
  }
}

// A bystander who loses the connection ends, and with it the test.
await Promise.all([ping(), edit()])
