// The page of the browser's benchmark: a cold start on what is cached, and single writes in a long list. Times are in ms, from
// the beginning of the navigation or of the write.
import { type Client, createClient } from '../../client-sdk/client.ts'
import type { TasksHandle } from '../../client-sdk/kinds/tasks.ts'
import { expose } from './expose.ts'

export interface Cached {
  readonly list: string
  readonly documents: readonly string[]
  readonly chats: readonly string[]
}

let client: Client
/** Whether the page starts by itself, as an app does. */
const startsWith = decodeURIComponent(location.hash.slice(1))

const open = async (): Promise<void> => {
  client = await createClient({ url: location.origin })
}

/** What an app does at its start, which begins with its script. */
const coldStart = async ({ list, documents, chats }: Cached) => {
  await open()
  const ready = performance.now()
  const tasks = await client.tasks(list)
  const count = tasks.read().tasks.length
  const first = performance.now()
  const texts = await Promise.all(documents.map((id) => client.document(id)))
  const characters = texts.reduce((sum, text) => sum + text.doc.getText('text').length, 0)
  const talks = await Promise.all(chats.map((id) => client.chat(id)))
  const messages = talks.reduce((sum, talk) => sum + talk.read().messages.length, 0)
  const all = performance.now()
  // All of it takes edits.
  const id = tasks.add({ title: 'added offline' })
  for (const text of texts) text.doc.getText('text').insert(0, 'edited offline ')
  for (const talk of talks) talk.send({ body: 'sent offline' })
  await Promise.all([tasks, ...texts, ...talks].map((handle) => handle.saved()))
  const edited = performance.now()
  tasks.delete({ id })
  await tasks.saved()
  return { ready, first, all, edited, count, characters, messages, user: client.user.username }
}
const starting = startsWith === '' ? null : coldStart(JSON.parse(startsWith) as Cached)

const api = {
  register: async (username: string, password: string) => {
    await open()
    return client.auth.register({ username, password })
  },
  makeGroup: async (): Promise<string> => {
    const { id } = await client.groups.create({ name: 'Group' })
    await client.groups.confirmed(id)
    return id
  },
  makeChannel: async (groupId: string, type: 'TODO' | 'DOC' | 'CHAT'): Promise<string> => {
    const { id } = await client.channels.create(groupId, { type, name: 'Channel' })
    await client.channels.confirmed(id)
    return id
  },
  /** Opens everything once, online, so that it is on this device. */
  cache: async ({ list, documents, chats }: Cached): Promise<void> => {
    const handles = [
      await client.tasks(list),
      ...(await Promise.all(documents.map((id) => client.document(id)))),
      ...(await Promise.all(chats.map((id) => client.chat(id)))),
    ]
    for (const handle of handles) {
      if (handle.status.synced) continue
      await new Promise<void>((resolve) => {
        const undo = handle.onStatus(({ synced }) => {
          if (synced) resolve(undo())
        })
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await client.close()
  },
  /** What the start of the page took. */
  started: () => starting,
  /** Each write alone: until it has run and listeners were told, and until it is on the disk. */
  writes: async (list: string, count: number) => {
    await open()
    const tasks: TasksHandle = await client.tasks(list)
    const operated: number[] = []
    const durable: number[] = []
    let told = (): void => {}
    tasks.subscribe(() => told())
    const ids = tasks.read().tasks.map(({ id }) => id)
    for (let number = 0; number < count; number++) {
      const heard = new Promise<void>((resolve) => (told = resolve))
      const id = ids[(number * 7_919) % ids.length] as string
      const { pending } = tasks.status
      const startedAt = performance.now()
      if (number % 4 === 0) tasks.add({ title: `written ${number}` })
      else if (number % 4 === 1) tasks.update({ id, title: `changed ${number}` })
      else if (number % 4 === 2) tasks.move({ id, after: ids[(number * 31) % ids.length] })
      else tasks.complete({ id, done: true })
      // What is so already is no write.
      if (tasks.status.pending === pending) continue
      await heard
      operated.push(performance.now() - startedAt)
      await tasks.saved()
      durable.push(performance.now() - startedAt)
      // As people do, not in one burst.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await client.close()
    return { operated, durable, length: tasks.read().tasks.length }
  },
}

export type BenchPage = typeof api
expose(api)
