// Every forgery against the verdict itself, without a server.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import * as Y from 'yjs'
import { judge } from '../../server/sync/verdict.ts'
import type { OperationContext } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { factsOf, stateOf } from '../hostile/judging.ts'
import { anyForgeries } from './any-kind.ts'
import { type Cast, forge, run, type Scene } from './scene.ts'
import { SCENES } from './scenes.ts'

const VICTIM_ID = 11
const ATTACKER_ID = 12
const NOW = Date.UTC(2026, 6, 22, 12)

const castOf = ({ kind }: Scene): Cast => ({
  victim: kind.writers === 'user' ? 'user-of-attacker' : 'user-of-victim',
  attacker: 'user-of-attacker',
  group: 'group-0000000001',
})

const contextOf = (cast: Cast, who: 'victim' | 'attacker'): OperationContext => ({
  actor: cast[who],
  role: 'member',
  now: NOW,
  members: new Set([cast.victim, cast.attacker]),
  isSealed: false,
  groups: new Map([
    [cast.group, { timezone: 'Europe/Berlin', frequency: 'weekly', createdAt: NOW - 1e9, joinedAt: NOW - 1e9 }],
  ]),
  deviceId: `device-of-${who}`,
  newId: () => 'new-id-0000000001',
  random: () => 0.5,
})

const honestDoc = (scene: Scene, cast: Cast): Y.Doc => {
  const doc = new Y.Doc()
  for (const [who, operation, input] of scene.honest(cast)) {
    doc.clientID = who === 'victim' ? VICTIM_ID : ATTACKER_ID
    run(scene, doc, operation, input, contextOf(cast, who))
  }
  return doc
}

const judgeAttack = ({ kind }: Scene, cast: Cast, doc: Y.Doc, update: Uint8Array, more: object = {}) => {
  const { actor, role, now, members, groups } = contextOf(cast, 'attacker')
  const facts = { kind, actor, role, now, members, groups, ...more }
  const claims = new Map([
    [ATTACKER_ID, cast.attacker],
    [VICTIM_ID, cast.victim],
  ])
  return judge({ ...factsOf(doc, facts), claims }, update)
}

describe.each(SCENES.map((scene) => [scene.kind.name, scene] as const))('%s', (_, scene) => {
  const cast = castOf(scene)

  test('[RV6] every forgery is refused, and the document stays as it was', () => {
    const doc = honestDoc(scene, cast)
    const before = stateOf(doc)
    const forgeries = [...scene.forgeries(cast), ...anyForgeries(scene, doc, cast)]
    const passed: string[] = []
    for (const forgery of forgeries) {
      const verdict = judgeAttack(scene, cast, doc, forge(doc, ATTACKER_ID, forgery), forgery.facts)
      const code = verdict.verdict === 'refuse' ? verdict.code : verdict.verdict
      if (verdict.verdict !== 'refuse') passed.push(`${forgery.title}: ${code}`)
      else if (forgery.code !== undefined && forgery.code !== code) passed.push(`${forgery.title}: ${code}`)
    }
    assert.deepEqual(passed, [])
    assert.deepEqual(stateOf(doc), before)
    process.stdout.write(`${scene.kind.name}: ${forgeries.length} forgeries, all refused\n`)
  })
})

test('[RV6] every kind that has rules has its forgeries', () => {
  const kinds = [...KINDS.values()].filter(({ rule, writers }) => rule && writers !== 'server')
  assert.deepEqual(SCENES.map(({ kind }) => kind.name).toSorted(), kinds.map(({ name }) => name).toSorted())
})
