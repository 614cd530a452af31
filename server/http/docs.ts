// The API's description for machines and, as a page, for people. The page's script comes from our own server; its policy
// lets it load that script, read the description and ask this server, and nothing else.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Hono } from 'hono'
import { type Asset, makeAsset, serve } from './asset.ts'
import type { HttpEnv } from './context.ts'
import { type PublicAddress, securityHeaders } from './headers.ts'
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

const POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  // The explorer writes style attributes.
  styleSrc: ["'unsafe-inline'"],
  imgSrc: ['data:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
}

const ofText = (type: string, text: string): Promise<Asset> => makeAsset(type, new TextEncoder().encode(text))

const readScript = async (): Promise<Asset> => {
  const path = createRequire(import.meta.url).resolve(`openapi-explorer/dist/browser/${SCRIPT}`)
  return makeAsset('text/javascript; charset=utf-8', await readFile(path))
}

/** Each is made when it is first asked for. */
const ASSETS: Readonly<Record<string, () => Promise<Asset>>> = {
  '/openapi.json': () => ofText('application/json', JSON.stringify(describeApi())),
  '/docs': () => ofText('text/html; charset=UTF-8', PAGE),
  [`/docs/${SCRIPT}`]: readScript,
}

/** At the root. */
export const createDocsRoutes = (config: PublicAddress): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()
  const headers = securityHeaders(config, POLICY)
  for (const [path, make] of Object.entries(ASSETS)) {
    let asset: Promise<Asset> | undefined
    routes.get(path, headers, async (c) => serve(c, await (asset ??= make())))
  }
  return routes
}
