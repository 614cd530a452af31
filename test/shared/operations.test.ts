// All operations of all kinds: their examples work, their inputs are checked before anything else.
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { AppError } from '../../shared/errors.ts'
import { BOARD_KIND } from '../../shared/board/kind.ts'
import { CHAT_KIND } from '../../shared/chat/kind.ts'
import type { Kind } from '../../shared/kind.ts'
import { planOperation, runOperation } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { TASKS_KIND } from '../../shared/tasks/kind.ts'
import { isSimulated } from '../sim/runs.ts'
import { contextOf, NOW, operationOf, ruled, transactionsOf } from './device.ts'

const group = { timezone: 'Europe/Berlin', frequency: 'weekly', createdAt: 0, joinedAt: 0 } as const
const ctx = contextOf({ actor: 'user-0000000001', groups: new Map([['group-0000000001', group]]) })

/** What the examples speak of. */
const MADE_BEFORE: readonly (readonly [kind: Kind, name: string, input: object])[] = [
  [TASKS_KIND, 'task.add', { id: 'task-0000000001', title: 'x' }],
  [TASKS_KIND, 'task.add', { title: 'y', after: null }],
  [BOARD_KIND, 'column.add', { id: 'column-00000001', name: 'x' }],
  [BOARD_KIND, 'column.add', { name: 'y', after: null }],
  [BOARD_KIND, 'card.add', { id: 'card-0000000001', column: 'column-00000001', title: 'x' }],
  [BOARD_KIND, 'card.add', { column: 'column-00000001', title: 'y', after: null }],
  [CHAT_KIND, 'message.send', { id: 'user-0000000001.message-00000001', body: 'x' }],
]

const docOf = (kind: Kind, except: string): Y.Doc => {
  const doc = new Y.Doc()
  for (const [of, name, input] of MADE_BEFORE)
    if (of === kind) runOperation(ruled(kind), operationOf(kind, name), doc, input, ctx)
  // A check-in is there once.
  const submit = kind.operations.find(({ name }) => name === 'checkin.submit')
  if (submit && submit.name !== except) runOperation(ruled(kind), submit, doc, submit.example, ctx)
  return doc
}

const all = [...KINDS.values()]
  .filter(isSimulated)
  .flatMap((kind) => kind.operations.map((operation) => [operation.name, kind, operation] as const))

test.each(all)('[RE10] the example of %s works', (name, kind, operation) => {
  const doc = docOf(kind, name)
  expect(transactionsOf(doc, () => runOperation(kind, operation, doc, operation.example, ctx))).toBe(1)
  expect(operation.summary).toMatch(/^[A-Z].*\.$/s)
})

test.each(all)('[RE5] %s refuses wrong inputs and a role that may not, and writes nothing', (name, kind, operation) => {
  const doc = docOf(kind, name)
  const codeOf = (input: unknown, changed: Partial<typeof ctx> = {}): string | null => {
    try {
      runOperation(kind, operation, doc, input, { ...ctx, ...changed })
      return null
    } catch (error) {
      return error instanceof AppError ? error.code : String(error)
    }
  }
  const writes = transactionsOf(doc, () => {
    const example = operation.example as Record<string, unknown>
    const wrong = [undefined, null, 1, [], '', { ...example, unknown: 1 }]
    const without = Object.keys(example).map((key) => Object.assign({}, example, { [key]: Symbol.iterator }))
    for (const input of [...wrong, ...without]) expect(codeOf(input)).toBe('input/invalid')
    expect(codeOf(example, { role: 'guest' })).toBe('access/forbidden')
  })
  expect(writes).toBe(0)
})

test.each(all)('[RE5] planning %s writes nothing', (name, kind, operation) => {
  const doc = docOf(kind, name)
  const plan = planOperation(kind, operation, doc, operation.example, { ...ctx, now: NOW + 1 })
  expect(plan.changes.length).toBeGreaterThan(0)
  expect(transactionsOf(doc, () => planOperation(kind, operation, doc, operation.example, ctx))).toBe(0)
})
