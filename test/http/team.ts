// A group of alice's over HTTP, with channels of any type, and people who join it in any role.
import { openTestApp, type TestApp } from './test-app.ts'

export type Person = Awaited<ReturnType<TestApp['person']>>

export const openTeam = async () => {
  const app = await openTestApp()
  const alice = await app.person('alice')
  const { token } = alice
  const body = { name: 'Friends', timezone: 'Europe/Berlin', checkInFrequency: 'weekly' }
  const group = await app.must<{ id: string; accessCode: string }>(201, 'POST', '/groups', { token, body })

  const join = async (username: string, role = 'member'): Promise<Person> => {
    const person = await app.person(username)
    await app.must(200, 'POST', '/groups/join', { token: person.token, body: { accessCode: group.accessCode } })
    await app.storage.db.updateTable('membership').set({ role }).where('user_id', '=', person.id).execute()
    return person
  }

  /** Makes a channel and returns its id. */
  const channel = async (type: string): Promise<string> => {
    const asking = { token, body: { type, name: 'channel' } }
    return (await app.must<{ id: string }>(201, 'POST', `/groups/${group.id}/channels`, asking)).id
  }

  return { app, alice, group, join, channel, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() }
}
