// Whether answers tell who has an account: by code, text, hashes computed and time, each way asked in turns with the
// others, so that what else the machine does falls on all alike. Here, because it needs the machine to itself.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { chooseSeed, createRandom } from '../helpers/random.ts'
import { openTestApp, PASSWORD, type TestApp } from '../http/test-app.ts'
import { assertInTime } from './in-time.ts'

const ROUNDS_MIN = 100
const ROUNDS_MAX = 400
const DIFFERENCE_MAX = 0.05
const TEST_MS_MAX = 180_000
const WAIT_MS = 16 * 60_000
const seed = chooseSeed()

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number

interface Way {
  readonly name: string
  readonly path: string
  readonly body: (round: number) => object
}

interface Seen {
  readonly times: number[]
  readonly answers: Set<string>
  readonly hashes: Set<number>
}

const newSeen = (): Seen => ({ times: [], answers: new Set(), hashes: new Set() })

const askOnce = async (app: TestApp, { path, body }: Way, round: number, { times, answers, hashes }: Seen) => {
  // Nobody has to wait for the misses before.
  app.clock.time += WAIT_MS
  const before = app.passwords.count
  const asking = { body: body(round) }
  const startedAt = performance.now()
  const answer = await app.ask('POST', path, asking)
  times.push(performance.now() - startedAt)
  answers.add(`${answer.status} ${JSON.stringify(answer.body.error)}`)
  hashes.add(app.passwords.count - before)
}

const differenceOf = (seen: readonly Seen[]): number => {
  const medians = seen.map(({ times }) => median(times))
  return Math.max(...medians) / Math.min(...medians) - 1
}

/** Asks all ways in turns, in an order of its own each time, until enough is known or the rounds are over. */
const compare = async (app: TestApp, what: string, ways: readonly Way[]): Promise<void> => {
  const random = createRandom(seed)
  const seen = new Map(ways.map((way): [Way, Seen] => [way, newSeen()]))
  const all = [...seen.values()]
  // What is compiled at first is nobody's.
  for (const way of ways) await askOnce(app, way, ROUNDS_MAX, newSeen())
  let rounds = 0
  while (rounds < ROUNDS_MIN || (differenceOf(all) > DIFFERENCE_MAX && rounds < ROUNDS_MAX)) {
    const order = ways.map((way) => ({ way, at: random.int(0, 2 ** 30) })).toSorted((a, b) => a.at - b.at)
    for (const { way } of order) await askOnce(app, way, rounds, seen.get(way) as Seen)
    rounds++
  }
  const medians = [...seen].map(([{ name }, { times }]) => `${name} ${median(times).toFixed(1)} ms`).join(', ')
  const difference = differenceOf(all)
  process.stdout.write(
    `${what}, ${rounds} rounds, seed ${seed}: ${medians}; medians differ by ${(difference * 100).toFixed(1)} %\n`,
  )
  const answers = new Set(all.flatMap((one) => Array.from(one.answers)))
  const hashes = new Set(all.flatMap((one) => Array.from(one.hashes)))
  assert.equal(answers.size, 1, [...answers].join('\n'))
  assert.deepEqual([...hashes], [1])
  assertInTime(difference <= DIFFERENCE_MAX, `medians differ by ${difference}`)
}

describe('who has an account', () => {
  test('[AC33] a log-in does not tell, by code, text, hashes or time', { timeout: TEST_MS_MAX }, async () => {
    await using app = await openTestApp()
    await app.register('alice', { email: 'alice@example.org' })
    const way = (name: string, identifier: string): Way => ({
      name,
      path: '/auth/login',
      body: () => ({ identifier, password: 'a wrong password' }),
    })
    await compare(app, 'log-in', [
      way('a known user name', 'alice'),
      way('an unknown user name', 'nobody'),
      way('a known e-mail', 'alice@example.org'),
      way('an unknown e-mail', 'nobody@example.org'),
    ])
  })

  test('[AC34] a registration does not tell what of it is taken', { timeout: TEST_MS_MAX }, async () => {
    await using app = await openTestApp()
    await app.register('alice', { email: 'alice@example.org' })
    const way = (name: string, of: (round: number) => [username: string, email: string]): Way => ({
      name,
      path: '/auth/register',
      body: (round) => {
        const [username, email] = of(round)
        return { username, email, password: PASSWORD }
      },
    })
    await compare(app, 'registration', [
      way('a taken user name', (round) => ['alice', `a${round}@example.org`]),
      way('a taken e-mail', (round) => [`name_${round}`, 'alice@example.org']),
      way('both taken', () => ['alice', 'alice@example.org']),
    ])
  })
})
