// Ports for servers that a test stops and starts again at the same address. The system gives the ports of its own range to
// whoever asks for any, so one of those may belong to somebody else by the next start; these lie below that range.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'

/** Above all that `fetch` and browsers refuse to connect to. */
const PORT_MIN = 11_000
/** Fewer than these to choose from would be taken more often than those of the system. */
const PORTS_MIN = 1_000

/** Where the system's own range begins; 0 where it does not say. */
const systemRangeStart = async (): Promise<number> => {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '')
  return Number.parseInt(range, 10) || 0
}

/** Whether it was free; 0 asks for any that is. */
const tryPort = async (port: number): Promise<number | null> => {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    // reason: somebody listens there, so it is not the one.
    return null
  }
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' ? (address?.port ?? null) : null
}

export const freePort = async (): Promise<number> => {
  const end = await systemRangeStart()
  for (;;) {
    const port = await tryPort(end - PORT_MIN < PORTS_MIN ? 0 : randomInt(PORT_MIN, end))
    if (port !== null) return port
  }
}
