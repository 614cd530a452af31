// The queue before the hashes: how many run at once, how many wait, and what the rest is told.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { createPasswords } from '../../server/auth/password.ts'
import { AppError } from '../../shared/errors.ts'

const pepper = new Uint8Array(32)

test('[AC14] more logins at once than the queue takes are refused as busy, and it recovers', async () => {
  const passwords = createPasswords({ pepper, runningMax: 1, waitingMax: 2 })
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => passwords.verify(undefined, 'x')))
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  assert.equal(refused.length, 3)
  for (const reason of refused) assert.ok(reason instanceof AppError && reason.code === 'auth/busy')
  assert.equal(await passwords.verify(await passwords.hash('right'), 'right'), true)
  assert.equal(await passwords.verify(await passwords.hash('right'), 'wrong'), false)
})

test('[AC15] a password is used as it is: neither trimmed nor cut nor folded', async () => {
  const passwords = createPasswords({ pepper })
  const long = 'x'.repeat(1024)
  const hash = await passwords.hash(` ${long}`)
  assert.equal(await passwords.verify(hash, ` ${long}`), true)
  for (const near of [long, ` ${long} `, ` ${long.slice(0, -1)}`, ` ${long.slice(0, -1)}X`]) {
    assert.equal(await passwords.verify(hash, near), false)
  }
})
