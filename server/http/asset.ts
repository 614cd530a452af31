// Answers that are the same for everybody until the next release: compressed once, and not sent again to who has them.
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip as gzipWithCallback } from 'node:zlib'
import type { HttpContext } from './context.ts'
import { takesGzip } from './headers.ts'

const gzip = promisify(gzipWithCallback)

export interface Asset {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly gzipped: Uint8Array<ArrayBuffer>
  readonly etag: string
}

export const makeAsset = async (type: string, bytes: Uint8Array<ArrayBuffer>): Promise<Asset> => {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  // Weak, because it stands for both encodings.
  return { type, bytes, gzipped: new Uint8Array(await gzip(bytes)), etag: `W/"${hash}"` }
}

/** A weak comparison of each of the tags that the client has. */
const hasIt = (c: HttpContext, { etag }: Asset): boolean => {
  const known = c.req.header('If-None-Match')?.split(',') ?? []
  return known.some((tag) => tag.trim() === '*' || `W/${tag.trim().replace(/^W\//, '')}` === etag)
}

export const serve = (c: HttpContext, asset: Asset): Response => {
  c.header('ETag', asset.etag)
  c.header('Cache-Control', 'no-cache')
  c.header('Vary', 'Accept-Encoding')
  if (hasIt(c, asset)) return c.body(null, 304)
  c.header('Content-Type', asset.type)
  if (!takesGzip(c.req.header('Accept-Encoding'))) return c.body(asset.bytes)
  c.header('Content-Encoding', 'gzip')
  return c.body(asset.gzipped)
}
