// A network between a client and a server that a test can cut, and make slow towards the client. HTTP and sockets alike.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface FlakyProxy extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly connections: () => number
  /** Ends every connection; what was on its way is lost. */
  readonly cut: () => void
  /** From now on answers take so long. */
  readonly delay: (ms: number) => void
}

export const startFlakyProxy = async (target: string): Promise<FlakyProxy> => {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  let delayMs = 0
  let connections = 0
  const server = createServer((client) => {
    connections++
    const upstream = connect({ host: hostname, port: Number(port) })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    let last = 0
    upstream.on('data', (data: Buffer) => {
      // In order, whatever the delay becomes meanwhile.
      last = Math.max(last, performance.now() + delayMs)
      const timer = setTimeout(
        () => {
          timers.delete(timer)
          if (!client.destroyed) client.write(data)
        },
        Math.max(0, last - performance.now()),
      )
      timers.add(timer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    cut,
    delay: (ms) => (delayMs = ms),
    [Symbol.asyncDispose]: async () => {
      for (const timer of timers) clearTimeout(timer)
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
