// Walls and privacy, over the whole HTTP side: who shares no scores is on no wall.
import { expect, test } from 'vitest'
import { checkinId } from '../../shared/checkins/model.ts'
import { documentName } from '../../shared/names.ts'
import { readWall, type Wall } from '../../shared/wall/model.ts'
import { eventually } from '../helpers/eventually.ts'
import { openTeam } from '../http/team.ts'

const SCORES = { productive: 8, satisfied: 7, body: 6, care: 9 }

test('[WA11] who shares no scores is on no wall, of any year, until they share them again', async () => {
  await using team = await openTeam()
  const { app, alice, group } = team
  const [bob, carol] = [await team.join('bob'), await team.join('carol')]
  const wallOf = (year: number): Promise<Wall> =>
    app.sync.withDocument(documentName('wall', group.id, String(year)), readWall)
  const shows = async (year: number, users: readonly { readonly id: string }[]): Promise<Wall> => {
    const ids = users.map(({ id }) => id).toSorted()
    const idsOn = ({ checkins }: Wall): string[] => checkins.map(({ userId }) => userId).toSorted()
    return eventually(
      () => wallOf(year),
      (wall) => idsOn(wall).join() === ids.join(),
      { what: `wall of ${year} with ${ids.join(' and ')}` },
    )
  }
  const share = (scores: 'group' | 'private') =>
    app.must(200, 'PUT', '/auth/me', { token: bob.token, body: { privacy: { scores } } })

  // One of a year ago, which nobody can write any more.
  await app.sync.withDocument(documentName('checkins', bob.id), (doc) => {
    const checkin = { ...SCORES, note: 'long ago', submittedAt: Date.UTC(2025, 4, 14), timezone: 'UTC', late: false }
    doc.getMap('checkins').set(checkinId(group.id, '2025-W20'), checkin)
  })
  const body = { groupId: group.id, ...SCORES, note: 'a quiet week' }
  for (const { token } of [alice, bob]) await app.must(201, 'POST', '/checkins', { token, body })
  await shows(2026, [alice, bob])
  await share('group')
  await shows(2025, [bob])

  await share('private')
  const { checkins, stats } = await shows(2026, [alice])
  expect(stats[checkins[0]?.period ?? '']).toMatchObject({ participants: 1, members: 3 })
  await shows(2025, [])
  // Nor is what is written from then on; carol's comes after it and is shown.
  const path = `/documents/checkins/${bob.id}/operations/checkin.update`
  await app.must(200, 'POST', path, { token: bob.token, body: { groupId: group.id, note: 'mine alone' } })
  await app.must(201, 'POST', '/checkins', { token: carol.token, body })
  await shows(2026, [alice, carol])

  await share('group')
  await shows(2026, [alice, bob, carol])
  await shows(2025, [bob])
})

test('[WA12] guests read a wall; they are not on it and not counted', async () => {
  await using team = await openTeam()
  const { app, alice, group } = team
  const guest = await team.join('guest', 'guest')
  const body = { groupId: group.id, ...SCORES }
  await app.refused(422, 'not-a-member', 'POST', '/checkins', { token: guest.token, body })
  await app.must(201, 'POST', '/checkins', { token: alice.token, body })
  const year = new Date(app.clock.time).getUTCFullYear()
  const wall = await eventually(
    () => app.must<Wall>(200, 'GET', `/documents/wall/${group.id}/${year}`, { token: guest.token }),
    ({ checkins }) => checkins.length === 1,
  )
  expect(Object.values(wall.stats)).toMatchObject([{ participants: 1, members: 1 }])
})
