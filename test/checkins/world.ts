// One person's check-ins without a server: a doc, a clock that tests move, and operations that run as a device runs them.
import * as Y from 'yjs'
import { CHECKINS_KIND } from '../../shared/checkins/kind.ts'
import { type Checkin, checkCheckinChange, readCheckins } from '../../shared/checkins/model.ts'
import { CHECKIN_OPERATIONS } from '../../shared/checkins/operations.ts'
import { AppError } from '../../shared/errors.ts'
import { type OperationContext, runOperation } from '../../shared/operation.ts'
import type { Facts, GroupFacts } from '../../shared/rules.ts'

export const GROUP = 'group-0000000001'
/** A Wednesday, in ISO week 7. */
export const NOW = Date.UTC(2026, 1, 11, 9)
export const SCORES = { productive: 8, satisfied: 7, body: 6, care: 9 }

export const WEEKLY: GroupFacts = { timezone: 'Europe/Berlin', frequency: 'weekly', createdAt: 0, joinedAt: 0 }

export const factsOf = (now: number, groups: Readonly<Record<string, GroupFacts>> = { [GROUP]: WEEKLY }): Facts => ({
  actor: 'user-0000000001',
  role: 'owner',
  now,
  members: new Set(),
  isSealed: false,
  groups: new Map(Object.entries(groups)),
})

export interface Device {
  readonly doc: Y.Doc
  /** Runs an operation by its name at `now`; throws what it refuses. */
  readonly run: (name: string, input: object, now?: number) => unknown
  readonly read: () => readonly Checkin[]
}

export const createDevice = (groups?: Readonly<Record<string, GroupFacts>>): Device => {
  const doc = new Y.Doc()
  return {
    doc,
    run: (name, input, now = NOW) => {
      const operation = CHECKIN_OPERATIONS.find((one) => one.name === name)
      if (!operation) throw new Error(`no operation ${name}`)
      const ctx: OperationContext = {
        ...factsOf(now, groups),
        deviceId: 'device-000000001',
        newId: () => 'not-used-here',
        random: () => 0,
      }
      const ruled = { collections: CHECKINS_KIND.collections, rule: checkCheckinChange }
      return runOperation(ruled, operation as never, doc, input as never, ctx).result
    },
    read: () => readCheckins(doc).checkins,
  }
}

/** The code of the error that `act` throws; undefined when it throws none. */
export const codeOf = (act: () => unknown): string | undefined => {
  try {
    act()
    return undefined
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}
