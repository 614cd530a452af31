// Epochs begin while people are offline, connected or in between, and networks are cut: every edit is stored once or in
// quarantine, and all agree (RT-19). SEED repeats the runs, EPOCH_RUNS makes more of them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { test } from 'vitest'
import type * as Y from 'yjs'
import { type Client, createClient } from '../../client-sdk/client.ts'
import type { StorageChoice } from '../../client-sdk/storage.ts'
import type { TasksHandle } from '../../client-sdk/kinds/tasks.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { createDeviceClock } from './device-clock.ts'
import { type FlakyProxy, startFlakyProxy } from './flaky-proxy.ts'

/** `npm run test:epochs` makes 10,000. */
const RUNS = Number(process.env['EPOCH_RUNS'] ?? 200)
/** Each with devices of its own; while one waits for its network another runs. */
const WORLDS = 5
/** Two tabs of one device, and another device. */
const DEVICES = 3
const STEPS_MAX = 25
/** Fewer than a group may have. */
const LISTS_PER_GROUP = 400
/** Only against what never ends. */
const TEST_MS_MAX = 600_000 + RUNS * 1_000
const WORD = /\[\d+\]/g

type DocumentHandle = Awaited<ReturnType<Client['document']>>

interface Device extends AsyncDisposable {
  readonly client: Client
  readonly proxy: FlakyProxy
}

interface World extends AsyncDisposable {
  readonly server: OwnServer
  readonly devices: readonly Device[]
  readonly documentsId: string
  readonly lists: { made: number; groupId: string }
}

let people = 0

const openDevice = async (
  proxy: FlakyProxy,
  storage: StorageChoice,
  enter: (client: Client) => Promise<unknown>,
): Promise<Device> => {
  await using owned = new AsyncDisposableStack()
  const { clock, goFast } = createDeviceClock()
  const client = owned.use(await createClient({ url: proxy.url, storage, clock }))
  await enter(client)
  goFast()
  const kept = owned.move()
  return { client, proxy, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Devices of one person. */
const openWorld = async (server: OwnServer): Promise<World> => {
  await using owned = new AsyncDisposableStack()
  const username = `epochs_${++people}`
  const tabs = { sqlite: join(server.folder, `${username}.db`) }
  const register = (client: Client) => client.auth.register({ username, password: PASSWORD })
  const logIn = (client: Client) => client.auth.login({ identifier: username, password: PASSWORD })
  const network = owned.use(await startFlakyProxy(server.url))
  const otherNetwork = owned.use(await startFlakyProxy(server.url))
  const first = owned.use(await openDevice(network, tabs, register))
  const group = await first.client.groups.create({ name: 'Group' })
  const channel = await first.client.channels.create(group.id, { type: 'DOC', name: 'Documents' })
  await first.client.channels.confirmed(channel.id)
  const second = owned.use(await openDevice(network, tabs, async () => {}))
  assert.equal(second.client.user.username, username)
  const devices = [first, second, owned.use(await openDevice(otherNetwork, 'memory', logIn))]
  const kept = owned.move()
  const lists = { made: 0, groupId: '' }
  return { server, devices, documentsId: channel.id, lists, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** One document as a run uses it: words go in, some are deleted again. */
interface Subject {
  readonly name: string
  readonly write: (device: number, word: string, random: Random) => void
  /** Deletes one word that this device sees, and tells which; null where it sees none. */
  readonly erase: (device: number, random: Random) => string | null
  readonly wordsOn: (device: number) => readonly string[]
  readonly wordsIn: (doc: Y.Doc) => readonly string[]
  readonly handles: readonly (TasksHandle | DocumentHandle)[]
}

const wordsOf = (text: string): readonly string[] => text.match(WORD) ?? []

const openText = async ({ devices, documentsId }: World): Promise<Subject> => {
  const record = v7()
  const handles = await Promise.all(devices.map(({ client }) => client.document(documentsId, record)))
  const textOn = (device: number): Y.Text => (handles[device] as DocumentHandle).doc.getText('text')
  /** Words as they stand, each with its place; nothing else is in the text. */
  const placesOn = (device: number) => [...textOn(device).toJSON().matchAll(WORD)]
  return {
    name: (handles[0] as DocumentHandle).name,
    handles,
    write: (device, word, random) => {
      const ends = [0, ...placesOn(device).map(({ index, 0: found }) => index + found.length)]
      textOn(device).insert(random.pick(ends), word)
    },
    erase: (device, random) => {
      const places = placesOn(device)
      if (places.length === 0) return null
      const { index, 0: word } = random.pick(places)
      textOn(device).delete(index, word.length)
      return word
    },
    wordsOn: (device) => wordsOf(textOn(device).toJSON()),
    wordsIn: (doc) => wordsOf(doc.getText('text').toJSON()),
  }
}

const openList = async (world: World): Promise<Subject> => {
  const { devices, lists } = world
  const { client } = devices[0] as Device
  if (lists.made++ % LISTS_PER_GROUP === 0) lists.groupId = (await client.groups.create({ name: 'Lists' })).id
  const channel = await client.channels.create(lists.groupId, { type: 'TODO', name: 'List' })
  await client.channels.confirmed(channel.id)
  const handles = await Promise.all(devices.map((device) => device.client.tasks(channel.id)))
  const tasksOn = (device: number) => (handles[device] as TasksHandle).read().tasks
  return {
    name: (handles[0] as TasksHandle).name,
    handles,
    write: (device, word, random) => {
      const list = handles[device] as TasksHandle
      const id = list.add({ title: random.chance(0.5) ? 'to be named' : word })
      list.update({ id, title: word })
    },
    erase: (device, random) => {
      const tasks = tasksOn(device)
      if (tasks.length === 0) return null
      const { id, title } = random.pick(tasks)
      ;(handles[device] as TasksHandle).delete({ id })
      return title
    },
    wordsOn: (device) => tasksOn(device).map(({ title }) => title),
    wordsIn: (doc) => {
      const deleted = (id: string): boolean => doc.getMap('tasks:edits').get(`${id}.deletedAt`) !== undefined
      const titleOf = (id: string): unknown =>
        doc.getMap('tasks:edits').get(`${id}.title`) ?? (doc.getMap('tasks').get(id) as { title: string }).title
      return [...doc.getMap('tasks').keys()].filter((id) => !deleted(id)).map((id) => String(titleOf(id)))
    },
  }
}

interface Counts {
  words: number
  epochs: number
  cuts: number
  quarantined: number
}

/** Everything that is in quarantine for a document, as text. */
const quarantinedOn = async ({ client }: Device, name: string): Promise<string> => {
  const kept = (await client.quarantine.list()).filter(({ document }) => document === name)
  return kept
    .map(({ operation, update }) => JSON.stringify(operation) + Buffer.from(update).toString('latin1'))
    .join('')
}

const run = async (world: World, random: Random, counts: Counts): Promise<string[]> => {
  const { server, devices } = world
  const subject = await (random.chance(0.5) ? openText(world) : openList(world))
  const { name, handles } = subject
  const written: string[] = []
  const erased = new Set<string>()
  const begun: Promise<unknown>[] = []

  const step = async (): Promise<void> => {
    const at = random.int(0, DEVICES - 1)
    const { client, proxy } = devices[at] as Device
    const dice = random.int(1, 100)
    if (dice <= 45) {
      const word = `[${++counts.words}]`
      written.push(word)
      subject.write(at, word, random)
    } else if (dice <= 55) {
      const word = subject.erase(at, random)
      if (word !== null) erased.add(word)
    } else if (dice <= 65) client.goOffline()
    else if (dice <= 75) client.goOnline()
    else if (dice <= 80) {
      counts.cuts++
      proxy.cut()
    } else if (dice <= 83) proxy.delay(random.int(0, 20))
    else if (dice <= 90) {
      const beginning = server.sync.startEpoch(name).then((isNew) => (counts.epochs += Number(isNew)))
      begun.push(beginning)
      if (random.chance(0.5)) await beginning
    } else await new Promise((resolve) => setTimeout(resolve, random.int(0, 15)))
  }

  // Something to have a history of.
  const first = `[${++counts.words}]`
  written.push(first)
  subject.write(0, first, random)
  await subject.handles[0]?.stored()
  for (let steps = random.int(5, STEPS_MAX); steps > 0; steps--) await step()
  for (const { client, proxy } of devices) {
    proxy.delay(0)
    client.goOnline()
  }
  await Promise.all(begun)
  await Promise.all(handles.map((handle) => handle.stored()))
  const read = async () => {
    const atServer = await server.sync.withDocument(name, subject.wordsIn)
    return { atServer, onDevices: devices.map((_, device) => subject.wordsOn(device)) }
  }
  const key = (words: readonly string[]): string => words.toSorted().join('')
  const { atServer } = await eventually(
    read,
    (found) => found.onDevices.every((words) => key(words) === key(found.atServer)),
    { what: `the same words everywhere in ${name}` },
  )
  const quarantined = (await Promise.all(devices.map((device) => quarantinedOn(device, name)))).join('')
  counts.quarantined += quarantined === '' ? 0 : 1
  const wrong = written.flatMap((word) => {
    const times = atServer.filter((one) => one === word).length
    if (times > 1) return [`${word} is there ${times} times`]
    return times === 1 || erased.has(word) || quarantined.includes(word) ? [] : [`${word} is lost`]
  })
  for (const { client } of devices) {
    for (const { id, document } of await client.quarantine.list()) {
      if (document === name) await client.quarantine.discard(id)
    }
  }
  await Promise.all(handles.map((handle) => handle.close()))
  return wrong.map((what) => `${name}: ${what}`)
}

test(
  '[EP12] over random histories with epochs every edit is stored once or in quarantine, and all agree',
  async () => {
    const random = createRandom(chooseSeed())
    process.stdout.write(`epochs: SEED=${random.seed}\n`)
    await using server = await startOwnServer()
    await using owned = new AsyncDisposableStack()
    const worlds: World[] = []
    while (worlds.length < WORLDS) worlds.push(owned.use(await openWorld(server)))
    const counts: Counts = { words: 0, epochs: 0, cuts: 0, quarantined: 0 }
    const wrong: string[] = []
    let next = 0
    const play = async (world: World): Promise<void> => {
      while (next++ < RUNS) {
        const found = await run(world, random.fork(), counts)
        for (const what of found) process.stdout.write(`${what}\n`)
        wrong.push(...found)
      }
    }
    await Promise.all(worlds.map(play))
    process.stdout.write(
      `epochs: ${RUNS} runs, ${counts.words} words, ${counts.epochs} epochs, ${counts.cuts} cuts, ` +
        `quarantine used in ${counts.quarantined} runs, ${wrong.length} words lost or doubled\n`,
    )
    assert.deepEqual(wrong, [], `SEED=${random.seed}`)
    assert.ok(counts.epochs >= RUNS / 2 && counts.cuts >= RUNS / 4, 'vacuous')
  },
  TEST_MS_MAX,
)
