// Whoever shows groups and channels hears when the lists say something else, whoever changed them.
import assert from 'node:assert/strict'
import { test } from 'vitest'
import { startOwnServer } from '../compat/servers.ts'
import { ask } from '../helpers/accounts.ts'
import { eventually } from '../helpers/eventually.ts'
import { openClient, openMember, register, tokenOf } from './sync-scene.ts'

test('[SY18] a listener hears of each change of the lists of groups and channels, and of another person', async () => {
  await using server = await startOwnServer()
  const ann = await openMember(server)
  const { data } = await ask(server.url, 'GET', `/groups/${ann.groupId}`, {
    token: await tokenOf(server.url, ann.username),
  })
  const { accessCode } = data as { readonly accessCode: string }

  const client = await openClient(server)
  const show = (): string => {
    const groups = client.groups.list()
    const channels = groups.flatMap(({ id }) => client.channels.list(id))
    return [...groups, ...channels].map(({ name, isPending }) => `${name}${isPending ? '?' : ''}`).join(' ')
  }
  /** Read only when told, as a page does. */
  let shown = show()
  client.onGroups(() => (shown = show()))
  const shows = (text: string): Promise<unknown> =>
    eventually(
      () => shown,
      (said) => said === text,
      { what: `lists that say ${text}` },
    )

  await register(client)
  await client.groups.join({ accessCode })
  await shows('Group Channel')
  await ann.client.channels.create(ann.groupId, { type: 'DOC', name: 'Notes' })
  await shows('Group Channel Notes')
  client.goOffline()
  await client.groups.create({ name: 'Own' })
  await shows('Group Own? Channel Notes')
  client.goOnline()
  await shows('Group Own Channel Notes')
  await client.auth.logout()
  await shows('')
  assert.equal(client.groups.list().length, 0)
  await Promise.all([client.close(), ann.client.close()])
})
