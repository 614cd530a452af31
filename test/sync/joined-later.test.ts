// The facts of an open document age; what matters is looked up again when a rule says no because of them.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { startOwnServer } from '../compat/servers.ts'
import { ask, createTeam, joinGroup, register } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { openAttacker } from '../hostile/attacker.ts'
import { openHonest } from '../hostile/victim.ts'
import { forge, set } from '../forging/scene.ts'

test('[RV12] who joined the group after a task list was opened is assigned at once; a stranger is not', async () => {
  await using server = await startOwnServer()
  const { group, people } = await createTeam(server.url, 1)
  const { accessToken: token, id } = people[0]
  const body = { type: 'TODO', name: 'tasks' }
  const { data } = await ask(server.url, 'POST', `/groups/${group.id}/channels`, { token, body })
  const target = { syncUrl: server.syncUrl, token, name: (data as { documentName: string }).documentName }
  const owner = await openHonest(target)
  const task = { title: 'Ask the new one', position: 'a0', createdAt: 1, createdBy: id }
  owner.doc.getMap('tasks').set('task-0000000001', task)

  const newcomer = await register(server.url)
  await joinGroup(server.url, newcomer, group)
  const stranger = await register(server.url)
  const edits = owner.doc.getMap('tasks:edits')
  edits.set('task-0000000001.assignee', newcomer.id)
  // What is sent meanwhile stays behind it.
  edits.set('task-0000000001.title', 'Asked')
  await eventually(
    () => owner.document.acked,
    (acked) => acked === 3,
    { what: 'acknowledgements' },
  )
  const client = await openAttacker(target)
  const write = set('tasks:edits', 'task-0000000001.assignee', stranger.id)
  await client.sendUpdates([forge(owner.doc, 99, { write })])
  await client.answered(1)
  assert.deepEqual([client.counts.refused, client.counts.accepted], [1, 0])
  assert.equal(owner.document.closedWith, undefined)
  for (const { close } of [owner, client]) close()
})
