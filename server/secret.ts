// The one secret of an installation and the keys derived from it: from the settings, or made once in the data folder.
import { hkdfSync, randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface Secrets {
  /** Signs access tokens. */
  readonly accessTokenKey: Uint8Array
  /** Keys the HMAC that passwords go through before they are hashed. */
  readonly passwordPepper: Uint8Array
  /** Derives a refresh token's successor. */
  readonly refreshKey: Uint8Array
  /** Seals what must be shown again but not be readable in the database. */
  readonly sealingKey: Uint8Array
  /** Keys the HMAC under which codes, names and keys are looked up. */
  readonly lookUpKey: Uint8Array
  /** Keys the chain of the audit log. */
  readonly auditKey: Uint8Array
}

const FILE = 'secret.key'
const KEY_BYTES = 32

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

export const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Writes a whole file and only then gives it its name, which fails if the name exists: a second process that starts at
 * the same moment, or a power cut, never sees half a key. Losing the key would make every password useless.
 */
const makeKeyFile = async (dataDir: string, path: string): Promise<void> => {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString('hex')}\n`)
    await file.sync()
    await link(draft, path)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    await file.close()
    await rm(draft, { force: true })
  }
  await syncFolder(dataDir)
}

const readKeyFile = async (path: string): Promise<string | undefined> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

const keyInFolder = async (dataDir: string): Promise<string> => {
  // For the owner only: the database that will lie beside the key holds hashes and everybody's documents.
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, FILE)
  let key = await readKeyFile(path)
  if (key === undefined) {
    await makeKeyFile(dataDir, path)
    key = await readKeyFile(path)
  }
  if (key === undefined || !/^[0-9a-f]{64}$/.test(key)) {
    throw new Error(`${path} does not hold a key (64 hex digits); restore it from a backup: passwords depend on it`)
  }
  return key
}

export const openSecrets = async (config: {
  readonly secretKey: string | undefined
  readonly dataDir: string
}): Promise<Secrets> => {
  const key = config.secretKey ?? (await keyInFolder(config.dataDir))
  const derive = (purpose: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', key, '', `syncline ${purpose} 1`, KEY_BYTES))
  return {
    accessTokenKey: derive('access-token'),
    passwordPepper: derive('password-pepper'),
    refreshKey: derive('refresh-token'),
    sealingKey: derive('sealing'),
    lookUpKey: derive('look-up'),
    auditKey: derive('audit'),
  }
}
