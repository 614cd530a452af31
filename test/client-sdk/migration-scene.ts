// Scenes for tests of migrations: localStorages in memory, plans for the fixtures, tabs on one disk, and what is there to be seen.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient, type Client, type ClientOptions } from '../../client-sdk/client.ts'
import type { MigrationPlan, SourceStorage, Step } from '../../client-sdk/migrate-types.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import type { Disk } from '../../client-sdk/offline/store.ts'

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9'

export const createStorage = (
  texts: Readonly<Record<string, string>>,
): SourceStorage & { readonly keys: () => string[] } => {
  const map = new Map(Object.entries(texts))
  return {
    get length() {
      return map.size
    },
    key: (index) => [...map.keys()][index] ?? null,
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, text) => void map.set(key, text),
    removeItem: (key) => void map.delete(key),
    keys: () => [...map.keys()],
  }
}

export const readFixture = (name: string): Record<string, string> =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/local-storage', name), 'utf8'))

export interface Todo {
  readonly id: number
  readonly title: string
  readonly completed: boolean
}

export const todosOf = (count: number): Todo[] =>
  Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    title: `todo ${index + 1}`,
    completed: index % 3 === 0,
  }))

export const todoStorage = (todos: readonly unknown[]) => createStorage({ 'todos-a': JSON.stringify(todos) })

/** One group with a list for each key. */
export const TODO_PLAN: MigrationPlan = {
  app: 'todomvc',
  sources: [
    {
      key: /^todos-/g,
      *into(todos, { source }): Iterable<Step> {
        yield { group: { key: 'home', name: 'My lists' } }
        yield { channel: { key: source, group: 'home', type: 'TODO', name: source } }
        for (const { id, title, completed } of todos as Iterable<Todo>) {
          const followedBy = completed ? [{ name: 'task.complete', input: { done: true } }] : []
          yield {
            operation: { key: `${source}/${id}`, document: source, name: 'task.add', input: { title }, followedBy },
          }
        }
      },
    },
  ],
}

/** A tab; with one disk for several they are tabs of one device. */
export const openTab = (disk: Disk = createMemoryDisk(), options: Partial<ClientOptions> = {}): Promise<Client> =>
  createClient({ url: NOWHERE, offline: true, ...options, storage: { disk } })

/** Everything that a person sees of task lists, with ids. */
export const readLists = async (client: Client) => {
  const lists: Record<string, unknown> = {}
  for (const group of client.groups.list()) {
    for (const { id, name, type } of client.channels.list(group.id)) {
      const tasks = type === 'TODO' ? await client.tasks(id) : null
      lists[`${group.id} ${group.name} ${id} ${name}`] = tasks
        ?.read()
        .tasks.map((task) => [task.id, task.title, task.done, task.position])
      await tasks?.close()
    }
  }
  return lists
}

/** The titles of all lists. */
export const readTitles = async (client: Client): Promise<string[]> =>
  Object.values(await readLists(client)).flatMap((tasks) =>
    ((tasks ?? []) as [string, string, boolean][]).map(([, title, done]) => (done ? `${title} ✓` : title)),
  )

/** The only list. */
export const onlyList = async (client: Client) => {
  const [group] = client.groups.list()
  const [channel] = client.channels.list(group?.id ?? '')
  return client.tasks(channel?.id ?? '')
}

export const commandsOn = async (disk: Disk, client: Client): Promise<number> => {
  const store = await disk.open(`user-${client.user.id}`)
  return (await store.list('outbox/')).size
}
