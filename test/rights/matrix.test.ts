// RT-30: who may do what, cell by cell, as the table in docs/spec.md says; by REST and over a socket. A kind, an operation
// or an actor that is not in the table fails the first test.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, test } from 'vitest'
import * as Y from 'yjs'
import type { Kind } from '../../shared/kind.ts'
import { planOperation, writeChanges } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { ask } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { connectWire } from '../helpers/wire-client.ts'
import { type Actor, ACTORS, type Asker, CONTEXT, kindOf, openStage, type Stage } from './stage.ts'

const TEST_MS_MAX = 600_000
const ANOTHERS = ' (another’s)'

interface Row {
  readonly kind: string
  /** `read`, `write` where only the server may, an operation's name, perhaps on what another made. */
  readonly action: string
  readonly cells: ReadonlyMap<Actor, boolean>
}

const cellsOf = (line: string): string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''))

const readTable = (): Row[] => {
  const spec = readFileSync(new URL('../../docs/spec.md', import.meta.url), 'utf8')
  const lines = spec.split('\n').filter((line) => line.startsWith('|'))
  const start = lines.findIndex((line) => cellsOf(line)[0] === 'Document')
  const [head = '', , ...rows] = lines.slice(start)
  const actors = cellsOf(head).slice(2)
  assert.deepEqual(actors, ACTORS)
  return rows.map((line) => {
    const [kind = '', action = '', ...cells] = cellsOf(line)
    for (const cell of cells) assert.ok(cell === 'yes' || cell === 'no', line)
    return { kind, action, cells: new Map(ACTORS.map((actor, index) => [actor, cells[index] === 'yes'])) }
  })
}

const table = readTable()

/** What there is, out of the registry. */
const actionsOf = (kind: Kind): string[] => {
  const operations = kind.operations.map(({ name }) => name)
  const others = kind.scope === 'user' ? ['read'] : kind.name === 'chat' ? ['message.edit', 'message.delete'] : []
  const free = kind.writers === 'server' || kind.operations.length === 0 ? ['write'] : []
  return ['read', ...free, ...operations, ...others.map((action) => action + ANOTHERS)]
}

test('[RI1] the table has a row for everything that can be done, and no other', () => {
  const expected = [...KINDS.values()].flatMap((kind) => actionsOf(kind).map((action) => `${kind.name} ${action}`))
  assert.deepEqual(table.map(({ kind, action }) => `${kind} ${action}`).toSorted(), expected.toSorted())
})

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
}, TEST_MS_MAX)
afterAll(() => stage?.[Symbol.asyncDispose]())

const openFor = async (name: string, { token }: Asker) => {
  const client = await connectWire(stage.server.syncUrl)
  const document = await client.open(name, token).catch((error: Error) => error)
  if (document instanceof Error) {
    client.close()
    assert.equal(document.message, 'permission-denied')
    return null
  }
  return { client, document }
}

/** Whether it opens; null when it does not, else with what is in it. */
const readBySocket = async (name: string, asker: Asker) => {
  const opened = await openFor(name, asker)
  if (!opened) return null
  const doc = new Y.Doc()
  const { document, client } = opened
  document.onUpdate = (update) => Y.applyUpdate(doc, update)
  await new Promise<void>((resolve) => {
    document.onState = resolve
    document.sendStep1(Y.encodeStateVector(doc))
  })
  return { doc, document, client }
}

/** Whether the server takes what `write` does; the client itself asks no rule. */
const writeBySocket = async (name: string, asker: Asker, write: (doc: Y.Doc) => void): Promise<boolean> => {
  const opened = await readBySocket(name, asker)
  if (!opened) return false
  const { doc, document, client } = opened
  const before = Y.encodeStateVector(doc)
  write(doc)
  document.sendUpdate(Y.encodeStateAsUpdate(doc, before))
  const answers = () => ({ acked: document.acked, refused: document.refused })
  const { acked } = await eventually(answers, (counts) => counts.acked + counts.refused > 0, { what: 'an answer' })
  client.close()
  return acked > 0
}

const idsIn = (value: unknown, by: string): unknown =>
  JSON.parse(
    JSON.stringify(value).replaceAll('user-0000000001', by).replaceAll('group-0000000001', stage.group.id),
  ) as unknown

const inputFor = (kind: Kind, action: string, by: string): unknown => {
  const operation = kind.operations.find(({ name }) => name === action)
  return operation && idsIn(operation.example, by)
}

const groupFacts = { timezone: 'UTC', frequency: 'weekly', createdAt: 0, joinedAt: 0 } as const

/** What any Yjs client can do: the operation's own changes, or a word where there is none, without asking a rule. */
const writerFor = (kind: Kind, action: string, asker: Asker, input: unknown) => (doc: Y.Doc) => {
  const operation = kind.operations.find(({ name }) => name === action)
  if (!operation) {
    if (kind.roots === 'any') doc.getText('text').insert(0, 'written')
    else doc.getMap(kind.roots[0] as string).set('a-key-00000001', 'written')
    return
  }
  const groups = new Map([[stage.group.id, groupFacts]])
  const ctx = { ...CONTEXT, actor: asker.id, now: Date.now(), groups }
  const plan = planOperation({ collections: kind.collections }, operation, doc, input, ctx)
  if (plan.write) doc.transact(plan.write)
  writeChanges(doc, plan.changes, null)
}

const byRest = async (action: string, name: string, { token }: Asker, input: unknown): Promise<boolean> => {
  const reading = action === 'read' || action === 'write'
  const path = `/documents/${name}${reading ? '' : `/operations/${action}`}`
  const answer = await ask(stage.server.url, reading ? 'GET' : 'POST', path, {
    token,
    body: reading ? undefined : input,
  })
  if (answer.status === 200) return true
  assert.ok([401, 403, 404, 422].includes(answer.status), `${path}: ${answer.status} ${answer.code}`)
  return false
}

/** Sets up the cell anew and tries it in one way; what is not there to be tried is refused. */
const tryCell = async ({ kind: kindName, action }: Row, actor: Actor, way: 'rest' | 'socket'): Promise<boolean> => {
  const kind = kindOf(kindName)
  const isAnothers = action.endsWith(ANOTHERS)
  const plain = action.replace(ANOTHERS, '')
  const { name, asker, maker } = await stage.setUp(kind, actor, isAnothers)
  const input = inputFor(kind, plain, maker)
  // A check-in is changed after it was made.
  if (/^checkin\.(update|retract)$/.test(plain) && !actor.startsWith('link')) await stage.submit(name, maker)
  if (way === 'rest') {
    if (plain === 'write') return writeBySocket(name, asker, writerFor(kind, plain, asker, input))
    return byRest(plain, name, asker, input)
  }
  if (plain === 'read') {
    const opened = await readBySocket(name, asker)
    opened?.client.close()
    return opened !== null
  }
  return writeBySocket(name, asker, writerFor(kind, plain, asker, input))
}

describe.each([...new Set(table.map(({ kind }) => kind))])('%s', (kind) => {
  test(
    '[RI1] every cell is as the table says, by REST and over a socket',
    async () => {
      const wrong: string[] = []
      let cells = 0
      for (const row of table.filter((one) => one.kind === kind)) {
        for (const [actor, expected] of row.cells) {
          for (const way of ['rest', 'socket'] as const) {
            cells++
            const found = await tryCell(row, actor, way)
            if (found !== expected) wrong.push(`${row.kind} ${row.action}, ${actor}, ${way}: ${found}`)
          }
        }
      }
      process.stdout.write(`permission matrix, ${kind}: ${cells} cells, ${wrong.length} wrong\n`)
      assert.deepEqual(wrong, [])
    },
    TEST_MS_MAX,
  )
})
