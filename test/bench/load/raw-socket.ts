// A WebSocket client on a plain TCP socket, for load only: whole binary messages, no extensions, a zero mask. It costs
// the load generator several times less per message than a full client, so that the server is what is measured.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

export interface Address {
  readonly host: string
  readonly port: number
  readonly path: string
}

export interface RawSocket {
  /** Sends one binary message made of two parts. */
  readonly send: (head: Uint8Array, body: Uint8Array) => void
  readonly destroy: () => void
}

export interface RawHandlers {
  /** One message: `bytes` from `start` to `end`, valid during the call only; `at` is when its last byte was read. */
  readonly onMessage: (bytes: Buffer, start: number, end: number, at: number) => void
  readonly onClosed: (reason: string) => void
}

const Opcode = { Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const
const NOTHING = new Uint8Array(0)

/** All sockets read into this one: a read and its callback are one synchronous step. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

const encodeMessage = (opcode: number, head: Uint8Array, body: Uint8Array): Buffer => {
  const length = head.length + body.length
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const start = 2 + lengthBytes + 4
  const message = Buffer.allocUnsafe(start + length)
  message[0] = 0x80 | opcode
  if (lengthBytes === 0) message[1] = 0x80 | length
  if (lengthBytes === 2) {
    message[1] = 0x80 | 126
    message.writeUInt16BE(length, 2)
  }
  if (lengthBytes === 8) {
    message[1] = 0x80 | 127
    message.writeBigUInt64BE(BigInt(length), 2)
  }
  message.writeUInt32BE(0, start - 4)
  message.set(head, start)
  message.set(body, start + head.length)
  return message
}

interface Frame {
  opcode: number
  start: number
  end: number
}

/** Reads the frame at `offset` into `frame`; false when it is not all there yet. */
const readFrame = (bytes: Buffer, offset: number, frame: Frame): boolean => {
  if (bytes.length - offset < 2) return false
  const first = bytes[offset] as number
  if ((first & 0xf0) !== 0x80) throw new Error('the load generator reads whole, plain messages only')
  let length = bytes[offset + 1] as number
  let start = offset + 2
  if (length === 126) {
    if (bytes.length - offset < 4) return false
    length = bytes.readUInt16BE(start)
    start += 2
  } else if (length === 127) {
    if (bytes.length - offset < 10) return false
    length = Number(bytes.readBigUInt64BE(start))
    start += 8
  }
  if (bytes.length < start + length) return false
  frame.opcode = first & 0x0f
  frame.start = start
  frame.end = start + length
  return true
}

const upgradeRequest = ({ host, port, path }: Address): string =>
  [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    '\r\n',
  ].join('\r\n')

/** Connects and upgrades; rejects when the server answers anything but 101. */
export const connectRaw = (address: Address, handlers: RawHandlers): Promise<RawSocket> =>
  new Promise((resolve, reject) => {
    let rest: Buffer | undefined
    let upgraded = false
    let closed = false
    const frame: Frame = { opcode: 0, start: 0, end: 0 }

    const isOpen = (): boolean => upgraded && !closed
    const write = (opcode: number, head: Uint8Array, body: Uint8Array): void => {
      if (!closed) tcp.write(encodeMessage(opcode, head, body))
    }
    const close = (reason: string): void => {
      if (closed) return
      closed = true
      tcp.destroy()
      if (upgraded) handlers.onClosed(reason)
      else reject(new Error(`no WebSocket at ${address.path}: ${reason}`))
    }
    const upgrade = (bytes: Buffer): number => {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) return 0
      const answer = bytes.toString('latin1', 0, end)
      if (!answer.startsWith('HTTP/1.1 101')) {
        close(answer.split('\r\n', 1).join(''))
        return bytes.length
      }
      upgraded = true
      resolve({
        send: (head, body) => write(Opcode.Binary, head, body),
        destroy: () => {
          closed = true
          tcp.destroy()
        },
      })
      return end + 4
    }
    const onBytes = (chunk: Buffer): void => {
      const at = performance.now()
      const bytes = rest ? Buffer.concat([rest, chunk]) : chunk
      let offset = upgraded ? 0 : upgrade(bytes)
      while (isOpen() && readFrame(bytes, offset, frame)) {
        offset = frame.end
        if (frame.opcode === Opcode.Binary) handlers.onMessage(bytes, frame.start, frame.end, at)
        else if (frame.opcode === Opcode.Ping) write(Opcode.Pong, bytes.subarray(frame.start, frame.end), NOTHING)
        else if (frame.opcode === Opcode.Close) close(`closed by the server: ${readClose(bytes, frame)}`)
      }
      rest = offset < bytes.length ? Buffer.from(bytes.subarray(offset)) : undefined
    }

    const tcp = connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          onBytes(readBuffer.subarray(0, length))
          return true
        },
      },
    })
    tcp.on('error', (error) => close(error.message))
    tcp.on('close', () => close('the connection ended'))
    tcp.write(upgradeRequest(address))
  })

const readClose = (bytes: Buffer, { start, end }: Frame): string =>
  end - start < 2 ? 'no code' : `${bytes.readUInt16BE(start)} ${bytes.toString('utf8', start + 2, end)}`
