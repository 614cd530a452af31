// What the rows of document versions must do, whichever database they are in.
import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { AUTOMATIC_VERSIONS_MAX, NAMED_VERSIONS_MAX } from '../../shared/limits.ts'
import type { Storage } from '../../storage/open.ts'
import { insertUser } from '../../storage/users.ts'
import { findVersion, insertVersion, listVersions } from '../../storage/versions.ts'
import { append, bytes, type CreateDatabase, load, NOTES, SLOW_MS, withTwo } from './helpers.ts'

/** A document whose name begins as the other's. */
const NEAR = `${NOTES}0`

const people = async ({ db }: Storage): Promise<void> => {
  for (const name of ['ada', 'bob']) {
    const id = `user-${name.padStart(10, '0')}`
    await insertUser(db, { id, username: name, email: null, name, password_hash: 'none', created_at: 0 })
  }
}
const ADA = 'user-0000000ada'
const BOB = 'user-0000000bob'

const version = (id: number, more: { by?: string | null; automatic?: boolean; at?: number; state?: string } = {}) => ({
  id: `version-${String(id).padStart(8, '0')}`,
  label: more.automatic ? null : `label ${id}`,
  created_by: more.automatic ? null : (more.by ?? ADA),
  created_at: more.at ?? id,
  is_automatic: more.automatic ?? false,
  state: bytes(more.state ?? `state ${id}`),
})

const idsOf = (rows: readonly { id: string }[]): number[] => rows.map(({ id }) => Number(id.slice(8)))

export const versionStoreContract = (name: string, create: CreateDatabase): void => {
  const withPeople = (run: (one: Storage, two: Storage) => Promise<void>): Promise<void> =>
    withTwo(create, async (one, two) => {
      await people(one)
      await run(one, two)
    })

  describe(`versions on ${name}`, () => {
    test('[VE1] versions of a document are listed newest first, page by page, and read back byte for byte', async () => {
      await withPeople(async (one, two) => {
        await append(one, NOTES, 'a')
        for (const id of [2, 1, 4]) await insertVersion(one.db, NOTES, version(id))
        await insertVersion(two.db, NOTES, version(3, { at: 4 }))
        await insertVersion(two.db, NEAR, version(9))
        const all = await listVersions(one.db, NOTES, 10)
        assert.deepEqual(idsOf(all), [4, 3, 2, 1])
        const { state: _state, ...first } = version(4)
        assert.deepEqual(all[0], first)
        assert.deepEqual(idsOf(await listVersions(two.db, NOTES, 2)), [4, 3])
        assert.deepEqual(idsOf(await listVersions(two.db, NOTES, 2, all[0])), [3, 2])
        assert.deepEqual(idsOf(await listVersions(two.db, NOTES, 2, all[2])), [1])
        const found = await findVersion(two.db, NOTES, version(2).id)
        assert.deepEqual(found && { ...found, state: bytes(new TextDecoder().decode(found.state)) }, version(2))
        assert.equal(await findVersion(one.db, NOTES, version(9).id), null)
      })
    })

    test('[VE1] a document that nobody wrote to has versions too, and is still empty', async () => {
      await withPeople(async (one) => {
        await insertVersion(one.db, NOTES, version(1))
        assert.deepEqual(idsOf(await listVersions(one.db, NOTES, 10)), [1])
        assert.equal((await load(one, NOTES)).head, 0)
        await append(one, NOTES, 'a')
        assert.deepEqual((await load(one, NOTES)).updates, ['a'])
      })
    })

    test('[VE2] a repeat by the same person gives the same version; another’s id is taken', async () => {
      await withPeople(async (one, two) => {
        const { created } = await insertVersion(one.db, NOTES, version(1))
        const repeat = await insertVersion(two.db, NOTES, version(1, { at: 7, state: 'other' }))
        assert.deepEqual([created, repeat.created, repeat.row.created_at], [true, false, 1])
        assert.deepEqual((await findVersion(one.db, NOTES, version(1).id))?.state.length, version(1).state.length)
        for (const [document, again] of [
          [NOTES, version(1, { by: BOB })],
          [NEAR, version(1)],
          [NOTES, version(1, { automatic: true })],
        ] as const) {
          await assert.rejects(insertVersion(two.db, document, again), { code: 'id/taken' })
        }
        assert.equal((await listVersions(one.db, NOTES, 10)).length, 1)
      })
    })

    test(
      '[VE3] the newest automatic versions stay, and named ones are refused above their limit, however many come at once',
      async () => {
        await withPeople(async (one, two) => {
          await insertVersion(one.db, NEAR, version(1_000, { automatic: true }))
          for (let id = 1; id <= AUTOMATIC_VERSIONS_MAX + 3; id++) {
            await insertVersion(one.db, NOTES, version(id, { automatic: true }))
          }
          const kept = idsOf(await listVersions(one.db, NOTES, 500))
          assert.deepEqual([kept.length, kept.at(-1)], [AUTOMATIC_VERSIONS_MAX, 4])
          assert.equal((await listVersions(one.db, NEAR, 500)).length, 1)

          for (let id = 1; id < NAMED_VERSIONS_MAX; id++) await insertVersion(one.db, NOTES, version(2_000 + id))
          const racing = await Promise.allSettled(
            [0, 1, 2, 3, 4, 5].map((id) => insertVersion((id % 2 ? one : two).db, NOTES, version(3_000 + id))),
          )
          assert.equal(racing.filter(({ status }) => status === 'fulfilled').length, 1)
          for (const result of racing) {
            if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'version/too-many')
          }
          const all = await listVersions(one.db, NOTES, 500)
          assert.equal(all.filter(({ is_automatic }) => is_automatic).length, AUTOMATIC_VERSIONS_MAX)
          assert.equal(all.length, AUTOMATIC_VERSIONS_MAX + NAMED_VERSIONS_MAX)
        })
      },
      SLOW_MS,
    )
  })
}
