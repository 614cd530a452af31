// A device in tests of kinds: a doc, its user, the operations of one kind. Devices meet when the test says so.
import * as Y from 'yjs'
import type { Kind } from '../../shared/kind.ts'
import { AppError } from '../../shared/errors.ts'
import { type OperationContext, runOperation, type Ruled } from '../../shared/operation.ts'
import type { Change, Refusal } from '../../shared/rules.ts'
import { createRandom } from '../helpers/random.ts'

export const ANNA = 'user-anna-01'
export const BEN = 'user-ben-001'
export const CARA = 'user-cara-01'
export const NOW = Date.UTC(2026, 1, 11, 9)

export interface Device {
  readonly doc: Y.Doc
  readonly ctx: OperationContext
  /** Runs an operation by its name; its result. */
  readonly run: (name: string, input: unknown) => { readonly id: string }
  /** The code of the error an operation throws; null when it works. */
  readonly refusal: (name: string, input: unknown) => string | null
  /** The code of the rule's answer to one change. */
  readonly rule: (root: string, key: string, value: unknown) => Refusal['code'] | null
}

let idsMade = 0

export const contextOf = (changed: Partial<OperationContext> = {}): OperationContext => {
  const random = createRandom(1)
  return {
    actor: ANNA,
    role: 'member',
    now: NOW,
    members: new Set([ANNA, BEN, CARA]),
    isSealed: false,
    groups: new Map(),
    deviceId: 'device-00001',
    newId: () => `made-${String(++idsMade).padStart(6, '0')}`,
    random: () => random.int(0, 999_999) / 1_000_000,
    ...changed,
  }
}

export const ruled = (kind: Kind): Kind & Ruled => {
  if (!kind.rule) throw new Error(`${kind.name} has no rule`)
  return { ...kind, rule: kind.rule }
}

export const operationOf = (kind: Kind, name: string) => {
  const operation = kind.operations.find((known) => known.name === name)
  if (!operation) throw new Error(`${kind.name} has no ${name}`)
  return operation
}

export const openDevice = (kind: Kind, changed?: Partial<OperationContext>, doc = new Y.Doc()): Device => {
  const ctx = contextOf(changed)
  const run = (name: string, input: unknown) =>
    runOperation(ruled(kind), operationOf(kind, name), doc, input, ctx).result as { id: string }
  return {
    doc,
    ctx,
    run,
    refusal: (name, input) => {
      try {
        run(name, input)
        return null
      } catch (error) {
        if (error instanceof AppError) return error.code
        throw error
      }
    },
    rule: (root, key, value) => ruled(kind).rule({ root, key, value } satisfies Change, ctx)?.code ?? null,
  }
}

/** Everybody gets everything. */
export const meet = (...devices: readonly Device[]): void => {
  for (const from of devices)
    for (const to of devices) if (from !== to) Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc))
}

/** How many transactions `act` makes on the doc. */
export const transactionsOf = (doc: Y.Doc, act: () => void): number => {
  let count = 0
  const onUpdate = (): void => void count++
  doc.on('update', onUpdate)
  act()
  doc.off('update', onUpdate)
  return count
}
