// A part of what `npm run test:fuzz` does, with every run of the tests.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { chooseSeed } from '../helpers/random.ts'
import { fuzz } from './fuzz.ts'

const REQUESTS = 5_000
const MS_MAX = 600_000
const seed = chooseSeed()

test(
  `[HP21] no request makes the server fail, whatever it holds and whoever sends it (SEED=${seed})`,
  async () => {
    const { faults, ...counts } = await fuzz(REQUESTS, seed)
    process.stdout.write(`fuzz: SEED=${seed} ${JSON.stringify(counts)}\n`)
    assert.deepEqual(faults.slice(0, 5), [])
    assert.equal(counts.unhandled, 0)
    assert.ok(counts.reached >= 0.8 * REQUESTS, `${counts.reached} reached the validators`)
    assert.ok(counts.allowed >= 0.3 * REQUESTS, `${counts.allowed} were let in`)
  },
  MS_MAX,
)
