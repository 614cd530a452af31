// Commands made offline: kept in the area of the user who gave them, sent in order when the server can be reached, and taken
// out together with their result. Client-made ids and idempotency keys make a repeat harmless.
import { AppError } from '../shared/errors.ts'
import type { Json } from '../shared/json.ts'
import { blockerOf, judge, keyOf, nextCommand, readCommands, readResults, waitMs, withDependents } from './commands.ts'
import { createListeners } from './listeners.ts'
import { StoreError, type StoredValue } from './offline/store.ts'
import type { Command, CommandResult, Outbox, OutboxOptions } from './outbox-types.ts'

export const OUTBOX = 'outbox/'
const RESULTS = 'result/'
/** A result that nobody has asked to forget goes by itself. */
const RESULT_MS_MAX = 24 * 3_600_000
const MESSAGE = { type: 'outbox' }

const ALONE: NonNullable<OutboxOptions['tabs']> = {
  isLeader: true,
  onLeadership: () => () => {},
  post: () => {},
  onMessage: () => () => {},
}

interface Waiter {
  readonly id: string
  readonly resolve: (data: Json) => void
  readonly reject: (error: Error) => void
}

const notFound = (id: string): AppError => new AppError('record/not-found', 'no such command', { id })
const closedError = (): StoreError => new StoreError('store/closed', 'the outbox is closed')
const refusalOf = ({ code = 'internal', message = code }: Command): AppError => new AppError(code, message)

/** Opens the outbox of `owner`. It sends by itself what is there, in the leading tab. */
export const createOutbox = (options: OutboxOptions): Outbox => {
  const { store, http, owner, clock, random, tabs = ALONE } = options
  const listeners = createListeners<void>()
  const closing = new AbortController()
  const waiters = new Set<Waiter>()
  /** When commands that failed by themselves are tried again. */
  const heldUntil = new Map<string, number>()
  let commands: readonly Command[] = []
  let results: readonly CommandResult[] = []
  let changed = Promise.withResolvers<void>()
  /** Every answer of this session, also those that were forgotten. */
  const answers = new Map<string, Json>()
  let sending: string | null = null
  let flushing: Promise<void> | null = null
  let isWanted = false
  /** Rounds in a row that ended because the server could not be reached. */
  let failures = 0
  let cancelTimer = (): void => {}
  let lastChange: Promise<unknown> = Promise.resolve()

  const settle = (waiter: Waiter): boolean => {
    const answer = answers.get(waiter.id)
    const command = commands.find(({ id }) => id === waiter.id)
    if (answer !== undefined) waiter.resolve(answer)
    else if (!command) waiter.reject(notFound(waiter.id))
    else if (command.state === 'refused') waiter.reject(refusalOf(command))
    else return false
    return true
  }

  const reload = async (): Promise<void> => {
    const [kept, found] = await Promise.all([
      store.list(OUTBOX).then((values) => readCommands(values.values())),
      store.list(RESULTS).then((values) => readResults(values.values())),
    ])
    const isSame = JSON.stringify([kept, found]) === JSON.stringify([commands, results])
    commands = kept
    results = found
    for (const { id, data } of found) answers.set(id, data)
    if (isSame) return
    for (const waiter of waiters) if (settle(waiter)) waiters.delete(waiter)
    changed.resolve()
    changed = Promise.withResolvers()
    listeners.tell()
  }

  /** Changes follow one another, so that each sees what the one before wrote. */
  const change = <Result>(run: () => Promise<Result>): Promise<Result> => {
    if (closing.signal.aborted) return Promise.reject(closedError())
    const result = lastChange.then(async () => {
      const value = await run()
      await reload()
      tabs.post(MESSAGE)
      return value
    })
    lastChange = result.catch(() => {})
    return result
  }

  const put = (command: Command): NonNullable<Parameters<typeof store.write>[0]['put']> => ({
    [OUTBOX + command.id]: command satisfies StoredValue,
  })

  const find = async (id: string): Promise<Command | null> => readCommands([await store.get(OUTBOX + id)])[0] ?? null

  /** Writes what became of a command, unless another tab took it out meanwhile. */
  const update = (id: string, changes: (command: Command) => Partial<Command>): Promise<void> =>
    change(async () => {
      const command = await find(id)
      if (command) await store.write({ put: put({ ...command, ...changes(command) }) })
    })

  const finish = ({ id, path }: Command, data: Json): Promise<void> =>
    change(async () => {
      const result: CommandResult = { id, path, at: clock.now(), data }
      await store.write({ del: [OUTBOX + id], put: { [RESULTS + id]: result satisfies StoredValue } })
    })

  const isHeld = ({ id }: Command): boolean => (heldUntil.get(id) ?? 0) > clock.now()

  /** What comes of an error: the next command can be tried, nothing can for now, or not before a login. */
  const fail = async (command: Command, error: unknown): Promise<'next' | 'unreachable' | 'needs-login'> => {
    const { id } = command
    const verdict = judge(command, error)
    if (verdict.verdict === 'needs-login') return 'needs-login'
    if (verdict.verdict === 'done') await finish(command, null)
    else if (verdict.verdict === 'refused') {
      const { code, message } = verdict.error
      await update(id, () => ({ state: 'refused', code, message }))
    } else {
      if (verdict.verdict === 'later')
        heldUntil.set(id, clock.now() + (verdict.ms ?? waitMs(command.attempts + 1, random)))
      await update(id, ({ attempts }) => ({ attempts: attempts + 1 }))
    }
    return verdict.verdict === 'unreachable' ? 'unreachable' : 'next'
  }

  const send = async (command: Command): Promise<'next' | 'unreachable' | 'needs-login'> => {
    const { method, path, body } = command
    try {
      const data = await http.request<Json | undefined>(method, path, {
        as: owner,
        signal: closing.signal,
        ...(body !== undefined && { body }),
        ...(method === 'POST' && { idempotencyKey: keyOf(command) }),
      })
      await finish(command, data ?? null)
      return 'next'
    } catch (error) {
      // What the server has done it will answer again.
      if (error instanceof StoreError || closing.signal.aborted) throw error
      return fail(command, error)
    }
  }

  const flushLater = (ms: number): void => {
    cancelTimer()
    cancelTimer = clock.after(ms, flushSoon)
  }

  /** Sends until nothing is left that can be sent. */
  const round = async (): Promise<void> => {
    for (;;) {
      await reload()
      if (closing.signal.aborted || !tabs.isLeader) return
      const next = nextCommand(commands, isHeld)
      if (!next) break
      sending = next.id
      const outcome = await send(next).finally(() => (sending = null))
      if (outcome === 'needs-login') return
      if (outcome === 'unreachable') {
        failures += 1
        return flushLater(waitMs(failures, random))
      }
      failures = 0
    }
    const times = commands.map(({ id }) => heldUntil.get(id) ?? 0).filter((time) => time > clock.now())
    if (times.length > 0) flushLater(Math.min(...times) - clock.now())
  }

  const rounds = async (): Promise<void> => {
    cancelTimer()
    try {
      do {
        isWanted = false
        await round()
      } while (isWanted && !closing.signal.aborted)
    } catch (error) {
      if (closing.signal.aborted) return
      failures += 1
      flushLater(waitMs(failures, random))
      throw error
    } finally {
      flushing = null
    }
  }

  const flush = (): Promise<void> => {
    isWanted = true
    if (closing.signal.aborted || !tabs.isLeader) return Promise.resolve()
    return (flushing ??= rounds())
  }

  const flushSoon = (): void => {
    // It is tried again by itself.
    flush().catch(() => {})
  }

  const forgetOld = async (): Promise<void> => {
    const old = results.filter(({ at }) => clock.now() - at > RESULT_MS_MAX)
    for (const { id } of old) answers.delete(id)
    if (old.length > 0) await change(() => store.write({ del: old.map(({ id }) => RESULTS + id) }))
  }

  let isReady = false
  const start = async (): Promise<void> => {
    await reload()
    await forgetOld()
    isReady = true
    flushSoon()
  }
  const ready = start()
  // Told to whoever waits for it.
  ready.catch(() => {})
  const undo = [
    tabs.onLeadership(flushSoon),
    tabs.onMessage(({ type }) => {
      if (type !== MESSAGE.type) return
      reload().then(flushSoon, () => {})
    }),
  ]

  return {
    ready,
    list: () => commands,
    results: () => results,
    subscribe: listeners.add,
    flush,
    waitsFor: (command) => blockerOf(command, commands)?.id ?? null,
    untilSent: () => {
      if (!isReady) return ready
      const waits = commands.some((command) => command.state === 'pending' && !blockerOf(command, commands))
      return waits ? changed.promise : null
    },
    add: async (given) => {
      const command = await change(async () => {
        const kept = readCommands((await store.list(OUTBOX)).values())
        const known = kept.find(({ id }) => id === given.id)
        if (known) return known
        const order = (kept.at(-1)?.order ?? 0) + 1
        const added: Command = { ...given, order, at: clock.now(), attempts: 0, retries: 0, state: 'pending' }
        await store.write({ put: put(added) })
        return added
      })
      flushSoon()
      return command
    },
    forget: (id) => {
      if (!results.some((result) => result.id === id)) return
      results = results.filter((result) => result.id !== id)
      // Kept a little longer where the disk fails now.
      change(() => store.write({ del: [RESULTS + id] })).catch(() => {})
    },
    confirmed: <Data>(id: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<Json>()
      const waiter = { id, resolve, reject }
      if (closing.signal.aborted) reject(closedError())
      else if (!settle(waiter)) waiters.add(waiter)
      return promise as Promise<unknown> as Promise<Data>
    },
    online: () => {
      failures = 0
      flushSoon()
    },
    retry: async (id) => {
      await change(async () => {
        const command = await find(id)
        if (command?.state !== 'refused') throw notFound(id)
        const { code: _code, message: _message, ...rest } = command
        await store.write({ put: put({ ...rest, state: 'pending', attempts: 0, retries: command.retries + 1 }) })
      })
      flushSoon()
    },
    discard: (id) =>
      change(async () => {
        const kept = readCommands((await store.list(OUTBOX)).values())
        const gone = withDependents(id, kept).map((command) => command.id)
        if (gone.length === 0) throw notFound(id)
        if (sending !== null && gone.includes(sending))
          throw new AppError('idempotency/running', 'this command is being sent', { id: sending })
        await store.write({ del: gone.map((one) => OUTBOX + one) })
      }),
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      cancelTimer()
      for (const stop of undo) stop()
      await Promise.allSettled([flushing, lastChange])
      for (const { reject } of waiters) reject(closedError())
      waiters.clear()
    },
  }
}
