// What a test says about time. A machine that is shared is slow at times, a server that is slow is slow each time: a test
// that fails by these words alone is run again a little later, a few times at most (vitest.config.ts).
import assert from 'node:assert/strict'

export const TOO_SLOW = 'too slow: '

export const assertInTime = (holds: boolean, otherwise: string): void => assert.ok(holds, TOO_SLOW + otherwise)
