// What browsers are told about every answer: what it may do, and how to come back.
import { promisify } from 'node:util'
import { gzip as gzipWithCallback, type ZlibOptions } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { secureHeaders } from 'hono/secure-headers'
import type { Config } from '../config.ts'

type Policy = NonNullable<NonNullable<Parameters<typeof secureHeaders>[0]>['contentSecurityPolicy']>

export type PublicAddress = Partial<Pick<Config, 'publicUrl'>>

/** HSTS only where people reach us by TLS: a browser that was told keeps to it for months. */
export const securityHeaders = ({ publicUrl }: PublicAddress, contentSecurityPolicy: Policy): MiddlewareHandler =>
  secureHeaders({
    contentSecurityPolicy,
    xFrameOptions: 'DENY',
    referrerPolicy: 'no-referrer',
    strictTransportSecurity: publicUrl?.startsWith('https:') === true ? 'max-age=15552000' : false,
  })

const COMPRESSED_BYTES_MIN = 1_024
/** Their answers hold tokens beside what the asker sent; how well that compresses together must tell nobody anything. */
const AUTH = /^\/api\/v1\/auth(?:\/|$)/

/** The fastest: answers are made for one reader each, and their time is worth more than a few bytes. */
const LEVEL = 1
const gzip = promisify<ArrayBuffer, ZlibOptions, Buffer<ArrayBuffer>>(gzipWithCallback)

export const takesGzip = (acceptEncoding = ''): boolean =>
  acceptEncoding.split(',').some((item) => /^\s*gzip\s*(?:$|;(?!\s*q=0(?:\.0*)?\s*$))/i.test(item))

/** Compresses what is read, if it says how long it is and is long. In one piece: streams cost more than they save here. */
export const compressReads = createMiddleware(async (c, next) => {
  await next()
  const length = Number(c.res.headers.get('Content-Length') ?? 0)
  if (c.req.method !== 'GET' || length < COMPRESSED_BYTES_MIN || AUTH.test(c.req.path)) return
  c.header('Vary', 'Accept-Encoding', { append: true })
  if (!takesGzip(c.req.header('Accept-Encoding'))) return
  const { res } = c
  const zipped = await gzip(await res.arrayBuffer(), { level: LEVEL })
  c.res = new Response(zipped, res)
  c.res.headers.set('Content-Encoding', 'gzip')
  c.res.headers.set('Content-Length', String(zipped.length))
})

export const noStore = createMiddleware(async (c, next) => {
  await next()
  c.header('Cache-Control', 'no-store')
})
