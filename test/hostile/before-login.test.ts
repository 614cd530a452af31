// RT-47: floods by people whom nobody knows yet. Memory stays bounded and others can log in meanwhile.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'vitest'
import { WebSocket } from 'ws'
import { FRAME_BYTES_MAX } from '../../shared/limits.ts'
import { MessageType } from '../../shared/protocol.ts'
import { register } from '../helpers/accounts.ts'
import { NODE, startProcess } from '../helpers/processes.ts'
import { updateFrame } from '../helpers/wire-client.ts'
import { frameOf } from './attacker.ts'
import { assertInTime } from './in-time.ts'
import { forMs, type MeteredServer, startMeteredServer } from './server-meter.ts'

const TEST_MS_MAX = 60_000
const RSS_GROWTH_MIB_MAX = 200
const LOGIN_MS_MAX = 1_000
const LOGINS_MIN = 3
const FLOOD_MS = 4_000
const SOCKETS_MAX = 10_000
/** Files that this process and the server have open besides. */
const OTHER_FILES = 200
const NAME = 'document/00000000000000000000'
/** What a client may leave unsent before it waits; an attacker does not need more either. */
const UNSENT_BYTES_MAX = 100_000

type Flood = (server: MeteredServer, opened: AsyncDisposableStack, isOver: () => boolean) => Promise<string>

const openSocket = async ({ syncUrl }: MeteredServer, opened: AsyncDisposableStack): Promise<WebSocket> => {
  const socket = new WebSocket(syncUrl, { perMessageDeflate: false })
  // Whatever the server does to it is fine.
  socket.on('error', () => {})
  opened.defer(() => socket.terminate())
  await Promise.race([once(socket, 'open'), once(socket, 'close')])
  return socket
}

/** Sends what `make` makes for as long as the flood lasts, over `count` sockets; opens those anew that get closed. */
const pour = async (
  count: number,
  make: (index: number) => Uint8Array,
  [server, opened, isOver]: Parameters<Flood>,
): Promise<number> => {
  let sent = 0
  const pourOne = async (): Promise<void> => {
    let socket = await openSocket(server, opened)
    while (!isOver()) {
      if (socket.readyState !== WebSocket.OPEN) socket = await openSocket(server, opened)
      for (let batch = 0; batch < 50 && socket.bufferedAmount < UNSENT_BYTES_MAX; batch++) socket.send(make(sent++))
      await forMs(1)
    }
  }
  await Promise.all(Array.from({ length: count }, pourOne))
  return sent
}

const openRaw = async ({ url }: MeteredServer, opened: AsyncDisposableStack): Promise<Socket> => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  opened.defer(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

const UPGRADE =
  'GET /sync HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'

/** The head of a frame of `length` bytes, with a mask of zeros. */
const frameHead = (length: number): Buffer => {
  const head = Buffer.alloc(14)
  head[0] = 0x82
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

const filesMax = async (pid: number | 'self'): Promise<number> =>
  Number(/^Max open files\s+(\d+)/m.exec(await readFile(`/proc/${pid}/limits`, 'utf8'))?.[1])

const FLOODS: Record<string, Flood> = {
  'frames without a token': async (...flood) => {
    const frame = updateFrame(NAME, new Uint8Array(10_000))
    return `${await pour(20, () => frame, flood)} frames`
  },
  'many documents with a bad token': async (...flood) => {
    const make = (index: number) =>
      frameOf(`document/${String(index).padStart(20, '0')}`, MessageType.Auth, 0, 'bad', 'v')
    return `${await pour(20, make, flood)} documents`
  },
  'one document with bad tokens': async (...flood) => {
    const frame = frameOf(NAME, MessageType.Auth, 0, 'bad'.repeat(1_000), 'v')
    return `${await pour(20, () => frame, flood)} tokens`
  },
  'frames of 4 MiB less their last byte': async (server, opened, isOver) => {
    const chunk = Buffer.alloc(FRAME_BYTES_MAX - 2)
    const one = async (): Promise<void> => {
      const socket = await openRaw(server, opened)
      socket.resume()
      socket.write(UPGRADE)
      await once(socket, 'data')
      socket.write(frameHead(FRAME_BYTES_MAX - 1))
      socket.write(chunk)
    }
    await Promise.all(Array.from({ length: 200 }, one))
    while (!isOver()) await forMs(100)
    return '200 sockets'
  },
  'slow hellos': async (server, opened, isOver) => {
    const sockets = await Promise.all(Array.from({ length: 1_000 }, () => openRaw(server, opened)))
    for (let at = 0; !isOver(); at++) {
      for (const socket of sockets) if (socket.writable) socket.write(UPGRADE[at % (UPGRADE.length - 4)] as string)
      await forMs(50)
    }
    return '1000 sockets'
  },
  'idle sockets': async (server, opened, isOver) => {
    const limits = [await filesMax('self'), await filesMax(server.pid())].map((limit) => limit - OTHER_FILES)
    const wanted = Math.min(SOCKETS_MAX, ...limits)
    let open = 0
    while (open < wanted) {
      const some = Math.min(100, wanted - open)
      const sockets = await Promise.all(Array.from({ length: some }, () => openSocket(server, opened)))
      assert.ok(sockets.every(({ readyState }) => readyState === WebSocket.OPEN))
      open += some
    }
    while (!isOver()) await forMs(100)
    return `${open} sockets`
  },
}

describe('floods before any login', () => {
  for (const [title, flood] of Object.entries(FLOODS)) {
    test(
      `[HF18] ${title}: memory stays within 200 MB, and a login takes less than a second`,
      async () => {
        await using server = await startMeteredServer()
        const { username } = await register(server.url)
        await using opened = new AsyncDisposableStack()
        const before = await server.rssMib()
        let peak = before
        await using person = startProcess(NODE, ['test/hostile/login-process.ts', server.url, username])
        await person.waitFor(/^login/m, LOGIN_MS_MAX * 10)
        const warm = person.output().length
        const times = () =>
          [
            ...person
              .output()
              .slice(warm)
              .matchAll(/^login (.+)$/gm),
          ].map((match) => Number(match[1]))
        const startedAt = performance.now()
        const cpuBefore = await server.cpuMs()
        const attack = { isDone: false }
        const running = flood(
          server,
          opened,
          () => performance.now() - startedAt > FLOOD_MS && times().length >= LOGINS_MIN,
        )
        const done = running.finally(() => (attack.isDone = true))
        while (!attack.isDone) {
          peak = Math.max(peak, await server.rssMib())
          await forMs(20)
        }
        const what = await done
        const slowest = Math.max(...times())
        const busy = ((await server.cpuMs()) - cpuBefore) / (performance.now() - startedAt)
        process.stdout.write(
          `${title}: ${what}, RSS ${before.toFixed(0)} +${(peak - before).toFixed(0)} MiB, ` +
            `slowest of ${times().length} logins ${slowest.toFixed(0)} ms, server at ${(busy * 100).toFixed(0)} % of a core\n`,
        )
        server.assertUnhurt()
        assert.ok(peak - before <= RSS_GROWTH_MIB_MAX, `RSS grew by ${peak - before} MiB`)
        assertInTime(slowest < LOGIN_MS_MAX, `a login took ${slowest} ms`)
      },
      TEST_MS_MAX,
    )
  }
})
