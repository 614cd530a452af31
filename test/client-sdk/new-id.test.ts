// Ids that a device makes: as the library that the server uses reads them, in the order of their making.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { validate, version } from 'uuid'
import { newId } from '../../client-sdk/new-id.ts'
import { isId } from '../../shared/names.ts'

test('[SY10] ids made on a device are UUIDs of version 7, all different, and carry the time', () => {
  const before = Date.now()
  const ids = Array.from({ length: 1_000 }, newId)
  const after = Date.now()
  assert.equal(new Set(ids).size, ids.length)
  for (const id of ids) {
    assert.ok(isId(id) && validate(id) && version(id) === 7, id)
    const at = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
    assert.ok(at >= before && at <= after, id)
  }
})
