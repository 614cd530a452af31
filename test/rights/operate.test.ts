// An operation by REST that was allowed when it was asked for, and not any more when its document is there.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import * as Y from 'yjs'
import { operate, targetOf } from '../../server/http/operate.ts'
import { AppError } from '../../shared/errors.ts'
import { idOf } from '../../shared/names.ts'
import type { AnyOperation } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { readTasks } from '../../shared/tasks/model.ts'

test('[RI2] a right that was lost while the document was loaded is looked up again before anything is written', async () => {
  const operation = KINDS.get('tasks')?.operations.find(({ name }) => name === 'task.add') as AnyOperation
  const claims = { userId: idOf<'user'>('user-0000000001'), sessionId: 'session-0000000001' }
  const target = targetOf('tasks', 'tasks-0000000001')
  const run = async (changes: number, lookUpsMax: number) => {
    const doc = new Y.Doc()
    let rightsVersion = 0
    let lookUps = 0
    const deps = {
      access: {
        openFor: async () => {
          if (++lookUps > lookUpsMax) throw new AppError('access/not-found', 'no such document')
          const facts = { members: new Set<string>(), isSealed: false, groups: new Map() }
          return { ...claims, deviceId: 'd', role: 'member' as const, readOnly: false, name: target.name, facts }
        },
      },
      changes: { rightsVersion: () => rightsVersion },
      sync: {
        withDocument: async <Result>(_: string, use: (live: Y.Doc) => Result) => {
          if (rightsVersion < changes) rightsVersion++
          return use(doc)
        },
      },
      now: () => 1,
      newId: () => 'task-0000000001',
      random: () => 0.5,
    }
    const done = await operate(deps, claims, target, operation, async () => ({ title: 'x' })).catch(
      (error: unknown) => error,
    )
    return { done, lookUps, tasks: readTasks(doc).tasks.length }
  }
  assert.deepEqual(await run(0, 1).then(({ lookUps, tasks }) => [lookUps, tasks]), [1, 1])
  // Somebody else's rights changed, twice.
  assert.deepEqual(await run(2, 3).then(({ lookUps, tasks }) => [lookUps, tasks]), [3, 1])
  const lost = await run(1, 1)
  assert.ok(lost.done instanceof AppError && lost.done.code === 'access/not-found')
  assert.equal(lost.tasks, 0)
})
