// The API's description for machines and, as a page, for people. The page's script comes from our own server; its policy
// lets it load that script, read the description and ask this server, and nothing else.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { HttpEnv } from './context.ts'
import { describeApi } from './openapi.ts'

const SCRIPT = 'openapi-explorer.min.js'

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Syncline API</title>
<link rel="alternate" type="application/json" href="/openapi.json">
<script type="module" src="/docs/${SCRIPT}"></script>
<openapi-explorer spec-url="/openapi.json"></openapi-explorer>
</html>
`

const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    // The explorer writes style attributes.
    styleSrc: ["'unsafe-inline'"],
    imgSrc: ['data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
  referrerPolicy: 'no-referrer',
})

const readScript = (): Promise<Buffer<ArrayBuffer>> =>
  readFile(createRequire(import.meta.url).resolve(`openapi-explorer/dist/browser/${SCRIPT}`))

/** At the root. */
export const createDocsRoutes = (): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()
  let description: ReturnType<typeof describeApi> | undefined
  let script: Promise<Buffer<ArrayBuffer>> | undefined

  routes.get('/openapi.json', headers, (c) => c.json((description ??= describeApi())))
  routes.get('/docs', headers, (c) => c.html(PAGE))
  routes.get(`/docs/${SCRIPT}`, headers, async (c) => {
    c.header('Content-Type', 'text/javascript; charset=utf-8')
    return c.body(await (script ??= readScript()))
  })
  return routes
}
