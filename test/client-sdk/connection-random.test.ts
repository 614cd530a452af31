// Random histories of two devices on a bad network, against the real server: what each document is told makes sense at
// every point, and in the end everybody has everything.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { startOwnServer } from '../compat/servers.ts'
import { createTeam, type Person } from '../helpers/accounts.ts'
import { eventually, nextTurn } from '../helpers/eventually.ts'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { createPeer, type PeerDocument, startProxy } from './connection-peer.ts'

/** Only against what never ends. */
const TEST_MS_MAX = 240_000
const STEPS = 1_500
const NAMES = 12
const NOT_OPEN = new Set(['closed disconnected'])

/** Each opening begins with `open` and ends with one `closed`; nothing is told outside; it is asked before it stores. */
const check = ({ log, name }: PeerDocument): void => {
  let isOpen = false
  let isAsked = false
  for (const [index, told] of log.entries()) {
    const where = `${name}: ${log.slice(Math.max(0, index - 8), index + 1).join(', ')}`
    if (told === 'open') {
      assert.ok(!isOpen, where)
      isOpen = true
      isAsked = false
    } else {
      assert.ok(isOpen, where)
      if (NOT_OPEN.has(told)) isOpen = false
      if (told === 'asked') isAsked = true
      if (told === 'stored') assert.ok(isAsked, where)
      assert.ok(!/^(not stored|refused)/.test(told), where)
    }
  }
}

test(
  '[CX25] on any network, with any coming and going, what a document is told is in order, and all devices become equal',
  async () => {
    const random = createRandom(chooseSeed())
    process.stdout.write(`bad network: SEED=${random.seed}\n`)
    await using server = await startOwnServer()
    const { people, newDocument } = await createTeam(server.url, 2)
    const channel = (await newDocument()).split('/')[1] as string
    const names = Array.from({ length: NAMES }, (_, index) => `document/${channel}/record-${1_000_000 + index}`)
    await using proxy = await startProxy(server.syncUrl)
    await using owned = new AsyncDisposableStack()
    const devices = (people as readonly Person[]).map(({ accessToken }) => {
      const peer = owned.use(
        createPeer({ url: proxy.url, token: accessToken, random: () => random.int(0, 99) / 1_000 }),
      )
      peer.connection.goOnline()
      return { peer, open: new Map(names.map((name) => [name, peer.open(name)])) }
    })
    const everyone: PeerDocument[] = devices.flatMap(({ open }) => [...open.values()])
    const done = new Map<string, number>()
    for (let step = 0; step < STEPS; step++) {
      const { peer, open } = random.pick(devices)
      const name = random.pick(names)
      const document = open.get(name)
      const what = random.int(0, 99)
      const count = (action: string): void => void done.set(action, (done.get(action) ?? 0) + 1)
      if (what < 3) {
        proxy.cut()
        count('cut')
      } else if (what < 6) {
        peer.connection.goOffline()
        count('offline')
      } else if (what < 12) peer.connection.goOnline()
      else if (what < 14) {
        peer.connection.loginChanged()
        count('login')
      } else if (what < 30) {
        if (document) {
          document.attached.detach()
          open.delete(name)
          count('detach')
        } else {
          const again = peer.open(name)
          everyone.push(again)
          open.set(name, again)
          count('attach')
        }
      } else if (what < 40) document?.attached.reopen()
      else if (what < 80) document?.doc.getText('text').insert(0, String(step % 10))
      else if (what < 95) await nextTurn()
      else {
        peer.connection.goOnline()
        await eventually(
          () => [...open.values()].filter((one) => !one.isOpen()).length,
          (missing) => missing === 0,
        )
        count('wait')
      }
    }
    for (const { peer, open } of devices) {
      peer.connection.goOnline()
      for (const name of names) if (!open.has(name)) open.set(name, peer.open(name))
    }
    for (const name of names) {
      await eventually(
        () => devices.map(({ open }) => open.get(name)?.doc.getText('text').toJSON()),
        ([left, right]) => left === right,
        { what: `equal ${name}` },
      )
    }
    for (const { open } of devices) for (const document of open.values()) everyone.push(document)
    for (const document of everyone) check(document)
    const openings = everyone.reduce((sum, document) => sum + document.count('open'), 0)
    process.stdout.write(`${openings} openings, ${JSON.stringify(Object.fromEntries(done))}\n`)
    assert.ok(openings > 100 && (done.get('cut') ?? 0) > 5 && (done.get('wait') ?? 0) > 5)
  },
  TEST_MS_MAX,
)
