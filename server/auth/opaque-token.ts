// Opaque tokens: of refreshes, tickets and share links. Random, and known to the database by their hashes alone.
import { createHash, randomBytes } from 'node:crypto'

const TOKEN_BYTES = 32

export const newOpaqueToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url')

/** Of 256 random bits a plain hash is enough. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')
