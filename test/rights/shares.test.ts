// Share links: what they open and for how long, and that nobody else's they are.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { SHARE_MS_MAX, SHARES_PER_DOCUMENT_MAX } from '../../shared/limits.ts'
import { openTeam } from '../http/team.ts'

interface Share {
  readonly id: string
  readonly token: string
}

test('[RI5] a link reads its document and nothing else, until it ends or is ended', async () => {
  await using team = await openTeam()
  const { app, alice, join } = team
  const [id, other] = [await team.channel('DOC'), await team.channel('DOC')]
  const member = await join('member', 'member')
  const base = `/documents/document/${id}`
  const make = (body: object, token = alice.token) => app.must<Share>(201, 'POST', `${base}/shares`, { token, body })
  const hour = await make({ expiresIn: 3_600_000 })
  const writer = await make({ role: 'member' })

  await app.must(200, 'GET', base, { token: hour.token })
  const body = { markdown: 'By link' }
  await app.refused(403, 'access/forbidden', 'POST', `${base}/operations/document.replace`, { token: hour.token, body })
  await app.must(200, 'POST', `${base}/operations/document.replace`, { token: writer.token, body })
  for (const path of [`/documents/document/${other}`, `${base}/record-0000000001`, `/documents/group/${team.group.id}`])
    await app.refused(404, 'access/not-found', 'GET', path, { token: writer.token })
  for (const path of ['/auth/me', '/groups', `/groups/${team.group.id}`, `/channels/${id}`, `${base}/shares`])
    await app.refused(401, 'auth/token-invalid', 'GET', path, { token: writer.token })

  app.clock.time += 3_600_001
  await app.refused(401, 'auth/token-invalid', 'GET', base, { token: hour.token })
  await app.must(200, 'GET', base, { token: writer.token })
  const again = await app.must<{ accessToken: string }>(200, 'POST', '/auth/refresh', {
    body: { refreshToken: alice.refreshToken },
  })
  const token = again.accessToken
  assert.equal((await app.must<Share[]>(200, 'GET', `${base}/shares`, { token })).length, 1)
  await app.refused(401, 'auth/token-invalid', 'DELETE', `/documents/document/shares/${writer.id}`, {
    token: member.token,
  })
  await app.must(204, 'DELETE', `/documents/document/shares/${writer.id}`, { token })
  await app.refused(401, 'auth/token-invalid', 'GET', base, { token: writer.token })
})

test('[RI5] only admins of the group share, within limits, and a secret is shown once', async () => {
  await using team = await openTeam()
  const { app, alice, join } = team
  const path = `/documents/document/${await team.channel('DOC')}/shares`
  const moderator = await join('moderator', 'moderator')
  const stranger = await app.person('stranger')
  await app.refused(403, 'access/forbidden', 'POST', path, { token: moderator.token, body: {} })
  await app.refused(404, 'access/not-found', 'POST', path, { token: stranger.token, body: {} })
  const { token } = alice
  for (const body of [{ role: 'admin' }, { expiresIn: 1 }, { expiresIn: SHARE_MS_MAX + 1 }, { more: 1 }])
    await app.refused(422, 'input/invalid', 'POST', path, { token, body })
  for (let made = 0; made < SHARES_PER_DOCUMENT_MAX; made++) await app.must(201, 'POST', path, { token, body: {} })
  await app.refused(409, 'share/too-many', 'POST', path, { token, body: {} })
  const { text } = await app.ask('GET', path, { token })
  assert.ok(!/share_|secret|hash/.test(text))
})
