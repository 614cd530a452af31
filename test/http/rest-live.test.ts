// Operations by REST on a real server: open editors see them, and what was answered is there after a kill.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HocuspocusProvider } from '@hocuspocus/provider'
import { test } from 'vitest'
import * as Y from 'yjs'
import { ask, createGroup, register } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { NODE, startProcess } from '../helpers/processes.ts'
import { readTasks } from '../../shared/tasks/model.ts'

const READY = /listening on (\S+)/
const START_MS_MAX = 90_000

const startChild = async (folder: string) => {
  const child = startProcess(NODE, ['server/main.ts'], { env: { DATA_DIR: folder, PORT: '0' } })
  const [, url] = await child.waitFor(READY, START_MS_MAX)
  return { child, url: url as string }
}

const must = async <Data>(...args: Parameters<typeof ask>): Promise<Data> => {
  const answer = await ask(...args)
  assert.ok(answer.status < 300, `${args[1]} ${args[2]}: ${answer.status} ${answer.code}`)
  return answer.data as Data
}

test('[OP12] an open editor sees what REST does, and REST sees what the editor does', async () => {
  await using owned = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'syncline-rest-'))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  const { child, url } = await startChild(folder)
  owned.use(child)
  const person = await register(url)
  const token = person.accessToken
  const group = await createGroup(url, person)
  const body = { type: 'TODO', name: 'channel' }
  const { documentName: name } = await must<{ documentName: string }>(url, 'POST', `/groups/${group.id}/channels`, {
    token,
    body,
  })
  const document = new Y.Doc()
  const provider = new HocuspocusProvider({ url: `${url.replace('http', 'ws')}/sync`, name, token, document })
  owned.defer(() => provider.destroy())
  await eventually(
    () => provider.isSynced,
    (isSynced) => isSynced,
  )
  const { result } = await must<{ result: { id: string } }>(url, 'POST', `/documents/${name}/operations/task.add`, {
    token,
    body: { title: 'by REST' },
  })
  await eventually(
    () => readTasks(document).tasks.map(({ title }) => title),
    (titles) => titles.join() === 'by REST',
  )
  document.getMap('tasks:edits').set(`${result.id}.title`, 'by the editor')
  await eventually(
    async () => must<{ tasks: { title: string }[] }>(url, 'GET', `/documents/${name}`, { token }),
    ({ tasks }) => tasks[0]?.title === 'by the editor',
  )
})

test.each(['SIGKILL', 'SIGTERM'] as const)(
  '[OP13] an operation that was answered is there after %s',
  async (signal) => {
    await using owned = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'syncline-rest-'))
    owned.defer(() => rm(folder, { recursive: true, force: true }))
    const first = await startChild(folder)
    owned.use(first.child)
    const person = await register(first.url)
    const token = person.accessToken
    const group = await createGroup(first.url, person)
    const made = { token, body: { type: 'TODO', name: 'channel' } }
    const { id } = await must<{ id: string }>(first.url, 'POST', `/groups/${group.id}/channels`, made)
    const answered: string[] = []
    const killed = new AbortController()
    const write = async (): Promise<void> => {
      while (!killed.signal.aborted) {
        const body = { title: 'task' }
        const answer = await ask(first.url, 'POST', `/tasks/channels/${id}`, { token, body }).catch(() => null)
        if (answer?.status === 201) answered.push((answer.data as { id: string }).id)
      }
    }
    const writers = Array.from({ length: 8 }, write)
    await eventually(
      () => answered.length,
      (count) => count >= 100,
    )
    await first.child.kill(signal)
    killed.abort()
    await Promise.all(writers)
    const second = await startChild(folder)
    owned.use(second.child)
    const { tasks } = await must<{ tasks: { id: string }[] }>(second.url, 'GET', `/documents/tasks/${id}`, { token })
    const found = new Set(tasks.map((task) => task.id))
    assert.deepEqual(
      answered.filter((task) => !found.has(task)),
      [],
    )
  },
)
