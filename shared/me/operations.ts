// The operations of `me`: set and take back settings and drafts.
import * as z from 'zod/mini'
import { defineOperation } from '../define-operation.ts'
import { DRAFTS, isSettingKey, isSettingValue, SETTINGS } from './model.ts'

const key = z.string().check(z.refine(isSettingKey, 'expected 1 to 128 of A-Z a-z 0-9 _ . : / -'))
/** Not `z.json()`: its schema refers to itself, and the API's description would have to as well. */
const value = z.unknown().check(z.refine(isSettingValue, 'expected JSON of at most 64 KiB'))

const setIn = (root: string, what: string, example: { key: string; value: z.input<typeof value> }) =>
  defineOperation({
    name: `${what}.set`,
    needs: 'write',
    summary: `Keeps a ${what} under a key, on all devices of the user; null takes it back.`,
    input: z.strictObject({ key, value }),
    example,
    plan: (_doc, input) => ({
      changes: [{ root, key: input.key, value: input.value ?? undefined }],
      result: { key: input.key },
    }),
  })

export const ME_OPERATIONS = [
  setIn(SETTINGS, 'setting', { key: 'app.theme', value: 'dark' }),
  setIn(DRAFTS, 'draft', { key: 'chat-0000000001', value: 'Half a sentence' }),
]
