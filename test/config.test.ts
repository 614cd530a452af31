// The settings, the secret and the log: what the process is made of before it serves anybody.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { parseConfig, renderSettingsTable } from '../server/config.ts'
import { createLogger } from '../server/log.ts'
import { openSecrets } from '../server/secret.ts'

const messageOf = (env: Record<string, string>): string => {
  try {
    parseConfig(env)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

/** The settings that the message complains about. */
const named = (env: Record<string, string>): string[] =>
  messageOf(env)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/:.*/, ''))

const openFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'syncline-config-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

const SECRET = 'x'.repeat(32)

describe('settings', () => {
  test('[CF1] without settings the server has defaults that work on one machine', () => {
    const config = parseConfig({})
    assert.deepEqual(
      [config.port, config.host, config.database, config.allowedOrigins, config.logLevel],
      [4400, '127.0.0.1', { sqlite: 'data/syncline.sqlite' }, [], 'info'],
    )
    assert.ok(Object.isFrozen(config))
  })

  test('[CF2] one message names every mistake and repeats no value', () => {
    const env = {
      PORT: '65536',
      DATABASE_URL: 'mysql://root:hunter2@db/x',
      ALLOWED_ORIGINS: 'https://a.example, *',
      SECRET_KEY: 'too-short',
      LOG_LEVEL: 'loud',
      PUBLIC_URL: 'syncline.example',
      HOST: 'my host',
    }
    assert.deepEqual(named(env).toSorted(), Object.keys(env).toSorted())
    for (const value of Object.values(env)) assert.ok(!messageOf(env).includes(value), value)
    for (const port of ['-1', '4400x', '1e3', ' ', '0x10']) assert.deepEqual(named({ PORT: port }), ['PORT'])
  })

  test('[CF3] a setting whose feature does not exist yet is refused, not ignored', () => {
    const env = {
      REDIS_URL: 'redis://cache:6379',
      S3_ENDPOINT: 'https://s3.example',
      S3_BUCKET: 'blobs',
      S3_REGION: 'eu',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'key',
      SMTP_URL: 'smtp://mail.example',
      SECRET_KEY: SECRET,
    }
    const refused = Object.keys(env).filter((name) => name !== 'SECRET_KEY')
    assert.deepEqual(named(env).toSorted(), refused.toSorted())
    assert.match(messageOf(env), /REDIS_URL: this release runs on one node only/)
  })

  test('[CF4] Redis without a secret key is a mistake of the key', () => {
    assert.deepEqual(named({ REDIS_URL: 'redis://cache' }), ['REDIS_URL', 'SECRET_KEY'])
  })

  test('[CF5] an empty setting counts as left out', () => {
    assert.equal(parseConfig({ REDIS_URL: '', PORT: '', SECRET_KEY: '' }).port, 4400)
  })

  test('[CF6] the origin of the public URL is an allowed origin', () => {
    const { allowedOrigins } = parseConfig({ ALLOWED_ORIGINS: 'https://a.example', PUBLIC_URL: 'https://b.example/x' })
    assert.deepEqual(allowedOrigins, ['https://a.example', 'https://b.example'])
  })

  test('[CF7] the table of the settings has a row with a default and a sentence for each', () => {
    const rows = renderSettingsTable().split('\n').slice(2)
    assert.equal(rows.length, 15)
    for (const row of rows) assert.match(row, /^\| `[A-Z0-9_]+` \| (none|`[^`]+`) \| .+\. \|$/)
    assert.ok(rows.some((row) => row.startsWith('| `PORT` | `4400` | TCP port')))
  })
})

describe('secret', () => {
  test('[CF8] processes that start together on one data folder make one key, readable by its owner only', async () => {
    await using folder = await openFolder()
    const dataDir = join(folder.path, 'data')
    const open = () => openSecrets({ secretKey: undefined, dataDir })
    const all = await Promise.all(Array.from({ length: 8 }, open))
    for (const secrets of all) assert.deepEqual(secrets, all[0])
    assert.deepEqual(await open(), all[0])
    const file = join(dataDir, 'secret.key')
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.match(await readFile(file, 'utf8'), /^[0-9a-f]{64}\n$/)
  })

  test('[CF9] a damaged key file stops the start instead of being replaced', async () => {
    await using folder = await openFolder()
    await writeFile(join(folder.path, 'secret.key'), 'abc')
    await assert.rejects(openSecrets({ secretKey: undefined, dataDir: folder.path }), /does not hold a key/)
  })

  test('[CF10] each purpose has a key of its own, and another secret gives other keys', async () => {
    const derive = async (secretKey: string) => Object.values(await openSecrets({ secretKey, dataDir: '/nowhere' }))
    const keys = [...(await derive(SECRET)), ...(await derive(`${SECRET}y`))].map((key) =>
      Buffer.from(key).toString('hex'),
    )
    assert.ok(keys.length >= 12)
    assert.equal(new Set(keys).size, keys.length)
  })
})

describe('log', () => {
  const logged = (level: 'debug' | 'info', write: (log: ReturnType<typeof createLogger>) => void): string[] => {
    const lines: string[] = []
    write(createLogger({ level, write: (line) => lines.push(line), now: () => 0 }))
    return lines
  }

  test('[CF11] a log line is one line of JSON with time, level, event and fields', () => {
    const lines = logged('info', (log) => {
      log.debug('too.quiet')
      log.child({ area: 'http' }).warn('it.happened', { text: 'a\nb', error: new Error('why') })
    })
    assert.equal(lines.length, 1)
    const { error, ...line } = JSON.parse(lines[0] as string)
    assert.deepEqual(line, {
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      event: 'it.happened',
      area: 'http',
      text: 'a\nb',
    })
    assert.equal(error.message, 'why')
    assert.ok((lines[0] as string).indexOf('\n') === (lines[0] as string).length - 1)
  })

  test('[CF12] no log line shows a token, a password or a secret', () => {
    const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'
    const error = new Error(`cannot connect to postgres://syncline:hunter2@db/x with ?token=hunter2`)
    const lines = logged('debug', (log) => {
      log.info('x', { refreshToken: 'hunter2', nested: { password: 'hunter2' }, secretKey: 'hunter2', error })
      log.info('x', { url: `/yjs/document/x?token=${jwt}&a=1`, header: `Bearer hunter2`, text: `got ${jwt}` })
    })
    for (const line of lines) assert.ok(!line.includes('hunter2') && !line.includes('eyJ'), line)
  })

  test('[CF13] a value that JSON cannot show does not make logging fail', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const lines = logged('info', (log) => log.info('odd', { circular, big: 1n }))
    assert.equal(JSON.parse(lines[0] as string).event, 'odd')
  })
})
