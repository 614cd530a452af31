// Attacks on a document and on the people in it, as updates and awareness messages that speak the protocol well.
import * as encoding from 'lib0/encoding'
import { CLOCK_MAX, DELETED_RUN_MAX, SERVER_CLIENT_ID_MIN } from '../../shared/limits.ts'
import type { Random } from '../helpers/random.ts'
import { type CraftedStruct, gc, one, textAfter, textIn, uint, valueAt, writeUpdate } from './update-writer.ts'

/** In all that an attacker writes, to be looked for in what others get. */
export const MARK = 'EVIL-MARK'
const HUGE = Number.MAX_SAFE_INTEGER

/** Whom an attack is aimed at: an id, and how far its structs reach. */
export interface Prey {
  readonly clientId: number
  readonly end: number
}

export interface Attack {
  readonly family: string
  readonly via: 'update' | 'awareness'
  readonly bytes: Uint8Array
}

const hole = (length: number): CraftedStruct => ({ content: 10, body: uint(length) })

export const writeAwareness = (...entries: readonly (readonly [id: number, clock: number, state: string])[]) => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, entries.length)
  for (const [id, clock, state] of entries) {
    encoding.writeVarUint(encoder, id)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, state)
  }
  return encoding.toUint8Array(encoder)
}

type Make = (prey: Prey, random: Random) => Uint8Array

const ownId = (random: Random): number => random.int(1, SERVER_CLIENT_ID_MIN - 1)
const deletes = (client: number, clock: number, length: number): Uint8Array =>
  writeUpdate([], [{ client, ranges: [[clock, length]] }])
const STATE = JSON.stringify({ user: MARK })

const CLOCK_BOMBS: Record<string, Make> = {
  'clock bomb: run of 2^53-1 for the victim': ({ clientId, end }) => one(clientId, end, gc(HUGE)),
  'clock bomb: run of 2^31 for the victim': ({ clientId, end }) => one(clientId, end, gc(CLOCK_MAX)),
  'clock bomb: own run too long': (_, random) => one(ownId(random), 0, gc(DELETED_RUN_MAX + random.int(1, 1_000))),
  'clock bomb: own clock far ahead': (_, random) => one(ownId(random), random.int(1, CLOCK_MAX), textIn('text', MARK)),
  'clock bomb: hole': ({ clientId, end }, random) =>
    one(clientId, end, hole(random.int(1, CLOCK_MAX)), textIn('text', MARK)),
  'clock bomb: delete of 2^53-1': ({ clientId, end }) => deletes(clientId, random0(end), HUGE),
  'clock bomb: delete at 2^53-1': ({ clientId }) => deletes(clientId, HUGE, 1),
}

const random0 = (end: number): number => Math.max(0, end - 1)

const FORGERIES: Record<string, Make> = {
  'forged id: text': ({ clientId, end }) => one(clientId, end, textIn('text', MARK)),
  'forged id: text behind the text of the victim': ({ clientId, end }) =>
    one(clientId, end, textAfter([clientId, end - 1], MARK)),
  'forged id: value under a key': ({ clientId, end }) => one(clientId, end, valueAt('map', MARK)),
  'forged id: collected run': ({ clientId, end }, random) => one(clientId, end, gc(random.int(1, 10))),
  'forged id: beside one of my own': ({ clientId, end }, random) =>
    writeUpdate([
      { client: ownId(random), clock: 0, structs: [textIn('text', MARK)] },
      { client: clientId, clock: end, structs: [textIn('text', MARK)] },
    ]),
  "forged id: the server's": (_, random) => one(random.int(SERVER_CLIENT_ID_MIN, 2 ** 32 - 1), 0, textIn('text', MARK)),
  'forged id: more than 32 bits': (_, random) => one(2 ** 32 + random.int(0, 2 ** 20), 0, textIn('text', MARK)),
}

/** Another past of the victim: its own clocks, with something else in them, and more behind. */
const EQUIVOCATIONS: Record<string, Make> = {
  'equivocation: from the start': ({ clientId, end }) => one(clientId, 0, textIn('text', MARK.padEnd(end + 1, '!'))),
  'equivocation: collected, and one more': ({ clientId, end }) => one(clientId, 0, gc(end + 1)),
  'equivocation: the last letter, and more': ({ clientId, end }) => one(clientId, end - 1, textIn('text', MARK)),
  'equivocation: delete of the next letter': ({ clientId, end }) => deletes(clientId, end - 1, 2),
  'equivocation: delete of the next letters': ({ clientId, end }, random) => deletes(clientId, end, random.int(1, 9)),
}

const AWARENESS: Record<string, Make> = {
  'awareness: clock bomb for the victim': ({ clientId }) => writeAwareness([clientId, CLOCK_MAX, STATE]),
  'awareness: clock of 2^53-1 for the victim': ({ clientId }) => writeAwareness([clientId, HUGE, STATE]),
  'awareness: forged state of the victim': ({ clientId }, random) =>
    writeAwareness([clientId, random.int(1, 1_000), STATE]),
  'awareness: removal of the victim': ({ clientId }, random) =>
    writeAwareness([clientId, random.int(1, 1_000), 'null']),
  'awareness: id of more than 32 bits': () => writeAwareness([2 ** 32 + 1, 1, STATE]),
  'awareness: own clock beyond 31 bits': (_, random) => writeAwareness([ownId(random), 2 ** 31, STATE]),
}

const PENDING: Record<string, Make> = {
  'pending: second of two updates': (_, random) => one(ownId(random), random.int(1, 9), textIn('text', MARK)),
  'pending: left neighbour unknown': (_, random) => one(ownId(random), 0, textAfter([ownId(random), 3], MARK)),
  'pending: left neighbour not written yet': ({ clientId, end }, random) =>
    one(ownId(random), 0, textAfter([clientId, end], MARK)),
  'pending: right neighbour unknown': (_, random) =>
    one(ownId(random), 0, { ...textIn('text', MARK), rightOrigin: [ownId(random), 0] }),
  'pending: parent unknown': (_, random) => one(ownId(random), 0, { ...textIn('', MARK), parent: [ownId(random), 0] }),
  'pending: two that wait for each other': () =>
    writeUpdate([
      { client: 11, clock: 0, structs: [textAfter([12, 0], MARK)] },
      { client: 12, clock: 0, structs: [textAfter([11, 0], MARK)] },
    ]),
  'pending: a good struct before one that waits': (_, random) => {
    const id = ownId(random)
    return one(id, 0, textIn('text', MARK), textAfter([ownId(random), 0], MARK))
  },
  'pending: 1 MB that waits': (_, random) =>
    one(ownId(random), 0, textAfter([ownId(random), 0], MARK.padEnd(1_000_000, '!'))),
  'orphan delete: of an unknown id': (_, random) => deletes(ownId(random), random.int(0, 9), random.int(1, 9)),
  'orphan delete: behind what is known': ({ clientId, end }, random) => deletes(clientId, end, random.int(1, 9)),
  'orphan delete: 1,000 ranges': (_, random) =>
    writeUpdate([], [{ client: ownId(random), ranges: Array.from({ length: 1_000 }, (__, i) => [i * 2, 1] as const) }]),
  'orphan delete: beside a good struct': (_, random) =>
    writeUpdate(
      [{ client: ownId(random), clock: 0, structs: [textIn('text', MARK)] }],
      [{ client: ownId(random), ranges: [[0, 1]] }],
    ),
}

/** `count` attacks from `families`, in turn. */
const take = (families: Record<string, Make>, prey: Prey, index: number, random: Random): Attack => {
  const names = Object.keys(families)
  const family = names[index % names.length] as string
  return {
    family,
    via: family.startsWith('awareness') ? 'awareness' : 'update',
    bytes: (families[family] as Make)(prey, random),
  }
}

/** The `index`-th attack on somebody's authorship. */
export const authorshipAttack = (prey: Prey, index: number, random: Random): Attack =>
  take({ ...CLOCK_BOMBS, ...FORGERIES, ...EQUIVOCATIONS, ...AWARENESS }, prey, index, random)

/** The `index`-th attack that wants to leave something behind that waits for what never comes. */
export const pendingAttack = (prey: Prey, index: number, random: Random): Attack => take(PENDING, prey, index, random)
