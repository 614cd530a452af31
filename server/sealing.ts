// Keeps from readers of the database what the server must be able to show again, or to find: AES-256-GCM and HMAC-SHA-256
// with keys that are outside of it.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { Secrets } from './secret.ts'

const ALGORITHM = 'aes-256-gcm'
/** NIST SP 800-38D, 8.2: 96 random bits, good for 2³² values under one key. */
const NONCE_BYTES = 12
const TAG_BYTES = 16

export interface Sealing {
  /** Base64url; a new one each time. `purpose` must be the same for `unseal`. */
  readonly seal: (text: string, purpose: string) => string
  /** Null for anything that was not sealed here for this purpose. */
  readonly unseal: (sealed: string, purpose: string) => string | null
  /** The same for the same text and purpose: what rows are found by. */
  readonly lookUp: (text: string, purpose: string) => string
}

export const createSealing = ({ sealingKey, lookUpKey }: Pick<Secrets, 'sealingKey' | 'lookUpKey'>): Sealing => ({
  seal: (text, purpose) => {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, sealingKey, nonce).setAAD(Buffer.from(purpose))
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
  },
  unseal: (sealed, purpose) => {
    const bytes = Buffer.from(sealed, 'base64url')
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return null
    try {
      const decipher = createDecipheriv(ALGORITHM, sealingKey, bytes.subarray(0, NONCE_BYTES))
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      return null
    }
  },
  lookUp: (text, purpose) => createHmac('sha256', lookUpKey).update(`${purpose}\0${text}`).digest('base64url'),
})
