// What pages in tests are loaded from: bundles of TypeScript entries, made in memory, and a way through to a Syncline
// server, so that page and server share an origin as they do in production.
import { createServer, type IncomingMessage, request, type RequestOptions, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { build, type Rollup } from 'vite'

export interface PageFile {
  readonly type: string
  readonly body: string
}

export interface PageServerOptions {
  /** Where `/api`, `/health`, `/sync` and `/yjs` go, such as `http://127.0.0.1:4400`. */
  readonly server?: string
  readonly minify?: boolean
  /** The browser's own cache keeps the pages' files; nothing stands in for it. */
  readonly isCached?: boolean
}

export interface PageServer extends AsyncDisposable {
  readonly url: string
  /** Bundles the entry, a file's path in `test/browser`, and returns the path of its page. */
  readonly addPage: (entry: string) => Promise<string>
  /** Everything that pages consist of, by path. */
  readonly files: ReadonlyMap<string, PageFile>
  /** While unplugged, no way leads to the Syncline server, and open sockets are cut. */
  readonly setPlugged: (isPlugged: boolean) => void
}

/** What belongs to the Syncline server. */
const SERVER_PATH = /^\/(api|health|sync|yjs)(\/|\?|$)/

const TYPES = { html: 'text/html; charset=utf-8', script: 'text/javascript; charset=utf-8' }

/** As Vite writes it: what the script imports is fetched beside it, not after it. */
const pageOf = (script: string, imports: readonly string[]): string => {
  const preloads = imports.map((path) => `<link rel="modulepreload" href="/${path}">`).join('')
  return `<!doctype html><meta charset="utf-8"><title>Syncline</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>${preloads}`
}

const bundle = async (entry: string, minify: boolean): Promise<readonly Rollup.OutputChunk[]> => {
  const name = basename(entry, '.ts')
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: import.meta.dirname,
    // Helpers of tests that draw a seed on their own: pages are handed theirs.
    resolve: { alias: { 'node:crypto': join(import.meta.dirname, 'no-crypto.ts') } },
    build: {
      write: false,
      minify,
      // What is imported on demand comes with all that it imports, at once: what an app gets that is built for its users.
      modulePreload: minify && { polyfill: false },
      rollupOptions: {
        input: { [name]: join(import.meta.dirname, entry) },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: `${name}/[name].js` },
      },
    },
  })
  const outputs = (Array.isArray(built) ? built : [built]) as Rollup.RollupOutput[]
  return outputs.flatMap(({ output }) => output.filter((file) => file.type === 'chunk'))
}

export const startPageServer = async ({
  server,
  minify = false,
  isCached = false,
}: PageServerOptions = {}): Promise<PageServer> => {
  const cacheControl = isCached ? 'public, max-age=31536000, immutable' : 'no-store'
  const files = new Map<string, PageFile>()
  const sockets = new Set<Duplex>()
  let isPlugged = true

  const onward = ({ url: path, method, headers }: IncomingMessage): RequestOptions & { readonly target: URL } => ({
    target: new URL(path ?? '/', server),
    // A connection of its own: one that was kept may be closed by the server while the request is on its way.
    agent: false,
    ...(method !== undefined && { method }),
    headers,
  })
  const goesToServer = ({ url = '/' }: IncomingMessage): boolean =>
    isPlugged && server !== undefined && SERVER_PATH.test(url)

  const answer = (asked: IncomingMessage, response: ServerResponse): void => {
    const file = files.get(new URL(asked.url ?? '/', 'http://page').pathname)
    if (file) {
      response.writeHead(200, { 'content-type': file.type, 'cache-control': cacheControl }).end(file.body)
    } else if (goesToServer(asked)) {
      const { target, ...options } = onward(asked)
      const forwarded = request(target, options, (answered) => {
        response.writeHead(answered.statusCode ?? 502, answered.headers)
        answered.pipe(response)
      })
      forwarded.on('error', () => response.destroy())
      response.on('close', () => forwarded.destroy())
      asked.pipe(forwarded)
    } else if (SERVER_PATH.test(asked.url ?? '/')) response.destroy()
    else response.writeHead(404).end()
  }

  const tie = (one: Duplex, other: Duplex): void => {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }

  const upgrade = (asked: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Whoever asked may be killed before there is an answer.
    socket.on('error', () => socket.destroy())
    if (!goesToServer(asked)) {
      socket.destroy()
      return
    }
    const { target, ...options } = onward(asked)
    const forwarded = request(target, options)
    forwarded.on('error', () => socket.destroy())
    forwarded.on('response', () => socket.destroy())
    forwarded.on('upgrade', (answered, far, farHead) => {
      if (!isPlugged || socket.destroyed) {
        far.destroy()
        socket.destroy()
        return
      }
      const lines = answered.rawHeaders.flatMap((name, index, all) =>
        index % 2 === 0 ? [`${name}: ${all[index + 1]}`] : [],
      )
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
      if (farHead.length > 0) socket.write(farHead)
      if (head.length > 0) far.write(head)
      tie(socket, far)
    })
    forwarded.end()
  }

  const http = createServer(answer).on('upgrade', upgrade)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }

  const pages = new Map<string, Promise<string>>()
  const makePage = async (entry: string): Promise<string> => {
    const chunks = await bundle(entry, minify)
    for (const { fileName, code } of chunks) files.set(`/${fileName}`, { type: TYPES.script, body: code })
    const path = `/${basename(entry, '.ts')}`
    const imports = chunks.find(({ isEntry }) => isEntry)?.imports ?? []
    files.set(path, { type: TYPES.html, body: pageOf(`${path}.js`, imports) })
    return path
  }
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    files,
    addPage: (entry) => {
      const page = pages.get(entry) ?? makePage(entry)
      pages.set(entry, page)
      return page
    },
    setPlugged: (plugged) => {
      isPlugged = plugged
      if (!plugged) cut()
    },
    [Symbol.asyncDispose]: async () => {
      cut()
      http.closeAllConnections()
      await new Promise<void>((resolve) => http.close(() => resolve()))
    },
  }
}
