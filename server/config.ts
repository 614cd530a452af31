// The settings: one schema with a sentence for each, parsed once into a frozen value. The README's table is rendered from
// the same schema. Reads no environment by itself.
import { join } from 'node:path'
import { z } from 'zod'
import type { StorageLocation } from '../storage/open.ts'
import type { LogLevel } from './log.ts'

export interface Config {
  readonly port: number
  readonly host: string
  readonly dataDir: string
  readonly database: StorageLocation
  readonly publicUrl: string | undefined
  /** Origins beside the server's own that may use the API and the sockets; the origin of `publicUrl` is one of them. */
  readonly allowedOrigins: readonly string[]
  readonly secretKey: string | undefined
  readonly logLevel: LogLevel
}

export const SECRET_KEY_BYTES_MIN = 32

const urlWith = (...protocols: string[]) =>
  z.string().refine(
    (text) => {
      const url = URL.parse(text)
      return url !== null && protocols.includes(url.protocol) && url.hostname !== ''
    },
    `expected a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  )

const isOrigin = (text: string): boolean => /^https?:/.test(text) && URL.parse(text)?.origin === text

const port = z
  .string()
  .regex(/^[0-9]{1,5}$/, 'expected a whole number')
  .transform(Number)
  .refine((value) => value <= 65_535, 'expected at most 65535')

const origins = z
  .string()
  .transform((text) => text.split(',').map((origin) => origin.trim()))
  .refine((list) => list.every(isOrigin), 'expected origins such as https://app.example.org, separated by commas')

const secretKey = z
  .string()
  .refine((text) => Buffer.byteLength(text) >= SECRET_KEY_BYTES_MIN, `expected at least ${SECRET_KEY_BYTES_MIN} bytes`)

const word = z.string().regex(/^[\x21-\x7e]+$/, 'expected characters without spaces')

/** A default is given as text, as it would stand in the environment. */
const settings = z.object({
  PORT: port.prefault('4400').describe('TCP port; `0` picks a free one.'),
  HOST: word.prefault('127.0.0.1').describe('Address to listen on; `0.0.0.0` means every one, as the image sets it.'),
  DATA_DIR: z.string().prefault('./data').describe('Folder of the database, the blobs and the secrets.'),
  DATABASE_URL: urlWith('postgres:', 'postgresql:')
    .optional()
    .describe('`postgres://…`; without it, SQLite in `DATA_DIR`.'),
  REDIS_URL: urlWith('redis:', 'rediss:')
    .optional()
    .describe('For more than one node; needs `SECRET_KEY`. Not supported in this release.'),
  S3_ENDPOINT: urlWith('http:', 'https:')
    .optional()
    .describe('Blobs on S3 instead of disk. Not supported in this release.'),
  S3_BUCKET: word.optional().describe('Bucket of the blobs. Not supported in this release.'),
  S3_REGION: word.optional().describe('Region of the bucket. Not supported in this release.'),
  S3_ACCESS_KEY_ID: word.optional().describe('Who the server is to S3. Not supported in this release.'),
  S3_SECRET_ACCESS_KEY: word.optional().describe('How it proves that. Not supported in this release.'),
  PUBLIC_URL: urlWith('http:', 'https:')
    .optional()
    .describe('Where people reach the server, if not where it listens; its origin counts as the same origin.'),
  ALLOWED_ORIGINS: origins
    .optional()
    .describe('Comma list of further origins that may use the API and the sockets; without it, the same origin only.'),
  SECRET_KEY: secretKey
    .optional()
    .describe(
      `Signs tokens and peppers passwords, at least ${SECRET_KEY_BYTES_MIN} bytes; ` +
        'without it, one is made in `DATA_DIR` at the first start.',
    ),
  SMTP_URL: urlWith('smtp:', 'smtps:')
    .optional()
    .describe('Mail server. Not supported in this release, which sends no mail.'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .prefault('info')
    .describe('`debug`, `info`, `warn` or `error`: JSON lines on stderr.'),
})

/** Known settings without their feature: refused, because an ignored setting is a trap. */
const NOT_YET: Partial<Record<keyof typeof settings.shape, string>> = {
  REDIS_URL: 'this release runs on one node only; leave it out',
  S3_ENDPOINT: 'this release stores no blobs; leave it out',
  S3_BUCKET: 'this release stores no blobs; leave it out',
  S3_REGION: 'this release stores no blobs; leave it out',
  S3_ACCESS_KEY_ID: 'this release stores no blobs; leave it out',
  S3_SECRET_ACCESS_KEY: 'this release stores no blobs; leave it out',
  SMTP_URL: 'this release sends no mail; leave it out',
}

const mistakesIn = (given: Record<string, string>, issues: readonly z.core.$ZodIssue[]): string[] => {
  const mistakes = issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  for (const [name, sentence] of Object.entries(NOT_YET)) {
    if (name in given) mistakes.push(`${name}: ${sentence}`)
  }
  if ('REDIS_URL' in given && !('SECRET_KEY' in given)) {
    mistakes.push('SECRET_KEY: required with REDIS_URL, so that every node signs alike')
  }
  return mistakes
}

/** Throws one error that names every mistake. Values are not repeated in it: some are secrets. */
export const parseConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  const given: Record<string, string> = {}
  for (const name of Object.keys(settings.shape)) {
    // Compose files write `NAME=` for a setting that is left out.
    if (env[name]) given[name] = env[name]
  }
  const parsed = settings.safeParse(given)
  const mistakes = mistakesIn(given, parsed.error?.issues ?? [])
  if (!parsed.success || mistakes.length > 0) {
    throw new Error(['The settings are wrong:', ...mistakes.map((mistake) => `  ${mistake}`)].join('\n'))
  }
  const { PORT, HOST, DATA_DIR, DATABASE_URL, PUBLIC_URL, ALLOWED_ORIGINS, SECRET_KEY, LOG_LEVEL } = parsed.data
  const origins = [...(ALLOWED_ORIGINS ?? []), ...(PUBLIC_URL ? [new URL(PUBLIC_URL).origin] : [])]
  return Object.freeze({
    port: PORT,
    host: HOST,
    dataDir: DATA_DIR,
    database: Object.freeze(DATABASE_URL ? { postgres: DATABASE_URL } : { sqlite: join(DATA_DIR, 'syncline.sqlite') }),
    publicUrl: PUBLIC_URL,
    allowedOrigins: Object.freeze(origins),
    secretKey: SECRET_KEY,
    logLevel: LOG_LEVEL,
  })
}

/** The table of the README, in Markdown. */
export const renderSettingsTable = (): string => {
  const rows = Object.entries(settings.shape).map(([name, schema]) => {
    const fallback = schema.safeParse(undefined).data as string | number | undefined
    return `| \`${name}\` | ${fallback === undefined ? 'none' : `\`${fallback}\``} | ${schema.description} |`
  })
  return ['| Name | Default | Meaning |', '|---|---|---|', ...rows].join('\n')
}
