// The kind `me` with its operations.
import type { Kind } from '../kind.ts'
import { CORE_ME_KIND } from './core-kind.ts'
import { ME_OPERATIONS } from './operations.ts'

export const ME_KIND: Kind = { ...CORE_ME_KIND, operations: ME_OPERATIONS }
