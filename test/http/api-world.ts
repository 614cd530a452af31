// Two groups that know nothing of each other, with something of every sort in each. In the first, what the examples of the
// API's description name is really there; its people's words all hold `SECRET`, so that a leak can be searched for.
import { openTestApp, type TestApp } from './test-app.ts'

export const SECRET = 'mauve-teapot'
const EXAMPLE_PASSWORD = 'a quiet violet kettle'

export type Person = Awaited<ReturnType<TestApp['person']>>

/** What stands for what in an example. */
export type Stands = ReadonlyMap<string, string>

export const put = (stands: Stands, text: string): string => {
  let result = text
  for (const [from, to] of stands) result = result.replaceAll(from, to)
  return result
}

const CHANNEL_TYPES = { tasks: 'TODO', board: 'KANBAN', chat: 'CHAT', marks: 'CHAT', document: 'DOC' } as const

/** The ids in examples that a group's things have, whatever the group is. */
const THINGS = [
  'group-0000000001',
  'task-0000000001',
  'column-00000001',
  'card-0000000001',
  'record-0000000001',
  ...Object.keys(CHANNEL_TYPES).map((kind) => `${kind}-0000000001`),
]

const secretsIn = (word: string, owner: Person) =>
  ({
    tasks: [['task.add', { id: 'task-0000000001', title: word, details: word }]],
    board: [
      ['column.add', { id: 'column-00000001', name: word }],
      ['card.add', { id: 'card-0000000001', column: 'column-00000001', title: word }],
    ],
    chat: [['message.send', { id: `${owner.id}.message-00000001`, body: word }]],
    marks: [['mark.read', { upTo: 1_770_800_000_000 }]],
    document: [['document.replace', { markdown: `# ${word}` }]],
  }) as const

/** Fills a group; answers what the server made up for it. */
const fill = async (app: TestApp, owner: Person, stands: Stands, word: string, invited: Person) => {
  const { token } = owner
  const make = <Made>(path: string, body: object): Promise<Made> =>
    app
      .ask('POST', put(stands, path), { token, body: put(stands, JSON.stringify(body)) })
      .then(({ status, text, body: answer }) => {
        if (status >= 300) throw new Error(`POST ${path}: ${text}`)
        return answer?.data as Made
      })
  const group = { id: 'group-0000000001', name: word, description: word }
  const { accessCode } = await make<{ accessCode: string }>('/groups', group)
  const path = '/groups/group-0000000001'
  for (const [kind, type] of Object.entries(CHANNEL_TYPES)) {
    await make(`${path}/channels`, { id: `${kind}-0000000001`, type, name: word })
    for (const [operation, input] of secretsIn(word, owner)[kind as keyof typeof CHANNEL_TYPES])
      await make(`/documents/${kind}/${kind}-0000000001/operations/${operation}`, input)
  }
  const checkin = { groupId: 'group-0000000001', productive: 5, satisfied: 5, body: 5, care: 5, note: word }
  await make('/checkins', checkin)
  const document = '/documents/document/document-0000000001'
  const version = await make<{ id: string }>(`${document}/versions`, { label: word })
  const share = await make<{ id: string; token: string }>(`${document}/shares`, {})
  const invite = await make<{ id: string }>(`${path}/invites`, { userId: invited.id })
  return { accessCode, version: version.id, share: share.id, shareToken: share.token, invite: invite.id }
}

export const openWorld = async () => {
  await using owned = new AsyncDisposableStack()
  const app = owned.use(await openTestApp())
  // Their user names are the numbers in the ids of the examples.
  const owner = await app.person('0000000001')
  const mallory = await app.person('mallory')
  const [stranger, invited] = [await app.person('stranger'), await app.person('invited')]

  const their = new Map([
    ['user-0000000001', mallory.id],
    ...THINGS.map((id): [string, string] => [id, id.replace(/1$/, '2')]),
  ])
  const mine = await fill(app, owner, new Map(), SECRET, invited)
  const others = await fill(app, mallory, their, 'another word', invited)

  const join = async (username: string, role: string): Promise<Person> => {
    const person = await app.person(username)
    const body = { userId: person.id, role }
    await app.must(201, 'POST', '/groups/group-0000000001/members', { token: owner.token, body })
    return person
  }
  const admin = await join('admina', 'admin')
  const moderator = await join('moderata', 'moderator')
  const member = await join('0000000002', 'member')
  const guest = await join('gina', 'guest')

  // `person` makes logins without a password; the examples know one.
  const password_hash = await app.passwords.hash(EXAMPLE_PASSWORD)
  await app.storage.db.updateTable('user').set({ password_hash }).execute()

  const made = ({ version, share, invite }: typeof mine): [string, string][] => [
    ['version-0000000001', version],
    ['share-000000000000001', share],
    ['invite-000000001', invite],
  ]
  const kept = owned.move()
  return {
    app,
    people: { owner, admin, moderator, member, guest, stranger, mallory, invited },
    secrets: { SECRET, accessCode: mine.accessCode, shareToken: mine.shareToken },
    shareToken: mine.shareToken,
    /** What the examples mean in the first group, in the other group, and where they mean nothing. */
    stands: {
      mine: new Map([...made(mine), ['session-0000000001', owner.sessionId], ['THE-CODE-00', mine.accessCode]]),
      their: new Map([...their, ...made(others), ['session-0000000001', mallory.sessionId]]),
      nobody: new Map([
        ...THINGS.map((id): [string, string] => [id, id.replace(/1$/, '7')]),
        ...made({ ...mine, version: 'version-0000000007', share: 'share-000000000000007', invite: 'invite-000000007' }),
        ['session-0000000001', 'session-0000000007'],
      ]),
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>
