// *Stored* is never early: whatever happens to the network and to the server, when a handle says so every edit before it is
// in the server's database, read past the server. SEED repeats a run, STORED_RUNS lengthens it.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { v7 } from 'uuid'
import { type Client, createClient } from '../../client-sdk/client.ts'
import type { Handle } from '../../client-sdk/client-types.ts'
import { startServerProcess } from '../compat/servers.ts'
import { PASSWORD } from '../helpers/accounts.ts'
import { chooseSeed, createRandom, type Random } from '../helpers/random.ts'
import { createDeviceClock } from './device-clock.ts'
import { type FlakyProxy, startFlakyProxy } from './flaky-proxy.ts'
import { openStoredBytes, type StoredBytes } from './stored-bytes.ts'

/** `npm run test:stored` makes 500. */
const RUNS = Number(process.env['STORED_RUNS'] ?? 150)
const DEVICES = 10
const STEPS_MAX = 12
const DELAY_MS_MAX = 60
/** Only against what never ends: each kill costs a start, and `STORED_RUNS` are as many as one likes. */
const TEST_MS_MAX = 600_000
/** Of all steps; each costs a start. */
const KILLS_IN_THOUSAND = 2
const MARKER_LENGTH = 14

interface Device extends AsyncDisposable {
  readonly client: Client
  readonly proxy: FlakyProxy
  readonly channelId: string
}

const openDevice = async (serverUrl: string, number: number): Promise<Device> => {
  await using owned = new AsyncDisposableStack()
  const proxy = owned.use(await startFlakyProxy(serverUrl))
  const { clock, goFast } = createDeviceClock()
  const client = owned.use(await createClient({ url: proxy.url, storage: 'memory', clock }))
  await client.auth.register({ username: `stored_${number}`, password: PASSWORD })
  const group = await client.groups.create({ name: 'Group' })
  const channel = await client.channels.create(group.id, { type: 'TODO', name: 'Tasks' })
  await client.channels.confirmed(channel.id)
  goFast()
  const kept = owned.move()
  return { client, proxy, channelId: channel.id, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

interface Counts {
  said: number
  edits: number
  cuts: number
  kills: number
}

interface Scene {
  readonly device: Device
  readonly disk: StoredBytes
  readonly random: Random
  readonly counts: Counts
  readonly kill: () => Promise<void>
  readonly lies: string[]
}

/** One document, edited while things happen; every word of the handle about it is checked at once. */
const run = async ({ device, disk, random, counts, kill, lies }: Scene, number: number): Promise<void> => {
  const { client, proxy, channelId } = device
  const isText = random.chance(0.5)
  const list = isText ? null : await client.tasks(channelId)
  const text = isText ? await client.document(channelId, v7()) : null
  const handle = (list ?? text) as Handle<unknown>
  const made: string[] = []

  const edit = (): void => {
    const marker = `${String(number).padStart(5, '0')}-${String(made.length).padStart(3, '0')};`.padEnd(
      MARKER_LENGTH,
      '.',
    )
    counts.edits++
    if (list) list.add({ title: marker })
    const shared = text?.doc.getText('text')
    shared?.insert(random.int(0, shared.length / MARKER_LENGTH) * MARKER_LENGTH, marker)
    made.push(marker)
  }

  const check = (what: string): void => {
    counts.said++
    const missing = disk.missing(handle.name, made)
    if (missing.length > 0) lies.push(`run ${number}: ${what}, but ${missing.join(' ')} of ${made.length} is not there`)
  }

  const stop = handle.onStatus((status) => {
    if (status.stored) check('status')
  })
  const waiting: Promise<void>[] = []
  const step = async (): Promise<void> => {
    const dice = random.int(1, 1_000)
    if (dice <= KILLS_IN_THOUSAND) await kill()
    else if (dice <= 150) {
      counts.cuts++
      proxy.cut()
    } else if (dice <= 250) proxy.delay(random.int(0, DELAY_MS_MAX))
    else if (dice <= 300) client.goOffline()
    else if (dice <= 420) client.goOnline()
    else if (dice <= 550) {
      const before = made.length
      waiting.push(
        handle.stored().then(() => {
          const missing = disk.missing(handle.name, made.slice(0, before))
          counts.said++
          if (missing.length > 0) lies.push(`run ${number}: stored(), but ${missing.join(' ')} is not there`)
        }),
      )
    } else if (dice <= 650) await new Promise((resolve) => setTimeout(resolve, random.int(0, 20)))
    else for (let count = random.int(1, 4); count > 0; count--) edit()
  }
  for (let steps = random.int(4, STEPS_MAX); steps > 0; steps--) await step()
  edit()
  proxy.delay(0)
  client.goOnline()
  await handle.stored()
  check('at the end')
  await Promise.all(waiting)
  stop()
  await handle.close()
}

test(
  '[SY1] what a handle calls stored is in the server’s database, through cuts, slow answers and kills of the server',
  async () => {
    const seed = chooseSeed()
    const random = createRandom(seed)
    await using owned = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'syncline-stored-'))
    owned.defer(() => rm(folder, { recursive: true, force: true }))
    const server = owned.use(await startServerProcess({ DATA_DIR: folder }))
    const devices: Device[] = []
    for (let number = 0; number < DEVICES; number++) devices.push(owned.use(await openDevice(server.url, number)))
    const disk = owned.use(openStoredBytes(folder))
    const counts: Counts = { said: 0, edits: 0, cuts: 0, kills: 0 }
    const lies: string[] = []
    let killing: Promise<void> | null = null
    const kill = (): Promise<void> => {
      killing ??= (async () => {
        counts.kills++
        await server.stop('SIGKILL')
        await server.start()
        killing = null
      })()
      return killing
    }

    let next = 0
    const work = async (device: Device): Promise<void> => {
      while (next < RUNS) {
        const number = next++
        await run({ device, disk, random: random.fork(), counts, kill, lies }, number)
      }
    }
    await Promise.all(devices.map(work))
    process.stdout.write(
      `stored SEED=${seed}: ${RUNS} runs, ${counts.edits} edits, ${counts.said} times said, ${counts.cuts} cuts, ` +
        `${counts.kills} kills, ${lies.length} lies\n`,
    )
    assert.deepEqual(lies, [], `SEED=${seed}`)
    assert.ok(counts.said > RUNS && counts.cuts > RUNS / 4 && (counts.kills > 0 || RUNS < 500), 'vacuous')
  },
  TEST_MS_MAX,
)
