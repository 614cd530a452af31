// Who must be in a group, and how, before the examples of groups, members and invites in the API's description can be run.
import { EXAMPLE_OTHER } from '../../server/http/members.ts'
import { EXAMPLE_GROUP, EXAMPLE_USER } from '../../server/http/route-row.ts'

/** Asks as a person, and throws for an answer that is none of success. */
type Must = (method: string, path: string, body?: unknown) => Promise<{ readonly id: string } | undefined>

export interface GroupExample {
  /** `METHOD /path` as the description has it. */
  readonly route: string
  /** Owned by whoever runs the example. */
  readonly group: string
  readonly must: Must
  /** As somebody else. */
  readonly logInOther: () => Promise<Must>
}

const EXAMPLE_INVITE = 'invite-000000001'

/** What stands for what in the example. */
export const prepareGroupExample = async (example: GroupExample): Promise<ReadonlyMap<string, string>> => {
  const { route, group, must } = example
  const stands = new Map<string, string>()
  const path = `/groups/${group}`
  if (route.endsWith('members/{user}')) await must('POST', `${path}/members`, { userId: EXAMPLE_OTHER })
  if (route.endsWith('bans/{user}')) await must('POST', `${path}/bans`, { userId: EXAMPLE_OTHER })
  if (route.endsWith('groups/{id}/restore')) await must('DELETE', path)
  if (route.endsWith('invites/{invite}')) {
    const invite = await must('POST', `${path}/invites`, { userId: EXAMPLE_OTHER })
    stands.set(EXAMPLE_INVITE, invite?.id ?? '')
  }
  if (!/\/(leave|accept|decline)$/.test(route)) return stands
  const other = await example.logInOther()
  const theirs = (await other('POST', '/groups', { name: 'Theirs' }))?.id ?? ''
  stands.set(EXAMPLE_GROUP, theirs)
  if (route.endsWith('/leave')) await other('POST', `/groups/${theirs}/members`, { userId: EXAMPLE_USER })
  else {
    const invite = await other('POST', `/groups/${theirs}/invites`, { userId: EXAMPLE_USER })
    stands.set(EXAMPLE_INVITE, invite?.id ?? '')
  }
  return stands
}
