// Everybody who can stand towards a group's documents: its roles, a stranger, the two sorts of links. And fresh documents
// of every kind for them to try things on.
import { type Role, ROLES } from '../../shared/access.ts'
import type { Kind } from '../../shared/kind.ts'
import { documentName } from '../../shared/names.ts'
import { runOperation } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { type OwnServer, startOwnServer } from '../compat/servers.ts'
import { ask, createGroup, type Group, joinGroup, type Person, register } from '../helpers/accounts.ts'

/** Columns of the matrix. */
export const ACTORS = [...ROLES.toReversed(), 'stranger', 'link to read', 'link to write'] as const
export type Actor = (typeof ACTORS)[number]

/** Somebody who asks: their user id and what they show for it. */
export interface Asker {
  readonly id: string
  readonly token: string
}

const GIVEN_CHANNEL_TYPES: Readonly<Record<string, string>> = { marks: 'CHAT' }

const typeOf = (kind: Kind): string => GIVEN_CHANNEL_TYPES[kind.name] ?? kind.channelType ?? 'DOC'

export interface Stage extends AsyncDisposable {
  readonly server: OwnServer
  readonly group: Group
  readonly owner: Person
  /**
   * A new document of the kind, with what examples speak of in it, and somebody who stands to it as `actor` does. What is
   * in it was made by `maker`: the actor, or where it shall be another's, the owner or a member.
   */
  readonly setUp: (
    kind: Kind,
    actor: Actor,
    isAnothers: boolean,
  ) => Promise<{ name: string; asker: Asker; maker: string }>
  /** Makes the check-in of this period, as the user would. */
  readonly submit: (name: string, userId: string) => Promise<void>
}

/** What examples speak of, by kind; `by` is who made it. */
const preparedFor = (kind: string, by: string): readonly (readonly [name: string, input: object])[] => {
  // Two of each, and the one that examples speak of comes last: moving it to the front changes something.
  if (kind === 'tasks') {
    return [
      ['task.add', { title: 'Buy bread' }],
      ['task.add', { id: 'task-0000000001', title: 'Buy milk' }],
    ]
  }
  if (kind === 'board') {
    return [
      ['column.add', { name: 'Ideas' }],
      ['column.add', { id: 'column-00000001', name: 'To do' }],
      ['card.add', { column: 'column-00000001', title: 'Buy paint' }],
      ['card.add', { id: 'card-0000000001', column: 'column-00000001', title: 'Paint the fence' }],
    ]
  }
  if (kind === 'chat') return [['message.send', { id: `${by}.message-00000001`, body: 'Lunch at one?' }]]
  return []
}

export const openStage = async (): Promise<Stage> => {
  await using owned = new AsyncDisposableStack()
  const server = owned.use(await startOwnServer())
  const { url } = server
  const owner = await register(url)
  const group = await createGroup(url, owner)
  const stranger = await register(url)
  const people = new Map<Role, Person>([['owner', owner]])
  await server.storage.db.updateTable('group').set({ members_max: 500 }).execute()
  /** By the row: how roles are given is tested elsewhere. */
  const give = async (person: Person, role: Role): Promise<void> => {
    await joinGroup(url, person, group)
    await server.storage.db.updateTable('membership').set({ role }).where('user_id', '=', person.id).execute()
  }
  for (const role of ROLES.filter((one) => one !== 'owner')) {
    const person = await register(url)
    await give(person, role)
    people.set(role, person)
  }

  const newPerson = async (actor: Role | 'stranger'): Promise<Asker> => {
    const person = await register(url)
    // A group has one owner; an admin's documents of their own are no more than that.
    if (actor !== 'stranger') await give(person, actor === 'owner' ? 'admin' : actor)
    return { id: person.id, token: person.accessToken }
  }

  const must = async <Data>(path: string, body: unknown): Promise<Data> => {
    const { status, code, data } = await ask(url, 'POST', path, { token: owner.accessToken, body })
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${code}`)
    return data as Data
  }

  const link = async (channelId: string, role: Role): Promise<Asker> => {
    const share = await must<{ id: string; token: string }>(`/documents/document/${channelId}/shares`, { role })
    return { id: `share-${share.id}`, token: share.token }
  }
  /** Links are to documents; to other kinds one is tried that is good for a document beside. */
  const beside = new Map<Role, Promise<Asker>>()
  const newChannel = async (type: string): Promise<string> =>
    (await must<{ id: string }>(`/groups/${group.id}/channels`, { type, name: 'channel' })).id
  const askerFor = async (kind: Kind, channelId: string | null, actor: Actor): Promise<Asker> => {
    if (actor === 'link to read' || actor === 'link to write') {
      const role = actor === 'link to read' ? 'guest' : 'member'
      if (kind.name === 'document' && channelId !== null) return link(channelId, role)
      if (!beside.has(role))
        beside.set(
          role,
          newChannel('DOC').then((id) => link(id, role)),
        )
      return beside.get(role) as Promise<Asker>
    }
    const person = actor === 'stranger' ? stranger : (people.get(actor) as Person)
    return { id: person.id, token: person.accessToken }
  }

  const run = (kind: Kind, name: string, by: string, operations: ReturnType<typeof preparedFor>): Promise<void> =>
    server.sync.withDocument(name, (doc) => {
      for (const [operationName, input] of operations) {
        const operation = kind.operations.find((one) => one.name === operationName)
        if (!operation) throw new Error(`no ${operationName}`)
        const groups = new Map([[group.id, GROUP_FACTS]])
        runOperation(kind, operation, doc, input, { ...CONTEXT, actor: by, now: Date.now(), groups })
      }
    })

  const idOf = (actor: Role): string => (people.get(actor) as Person).id
  const kept = owned.move()
  return {
    server,
    group,
    owner,
    setUp: async (kind, actor, isAnothers) => {
      if (kind.scope === 'group') {
        const part = kind.part === 'year' ? String(new Date().getUTCFullYear()) : undefined
        return { name: documentName(kind.name, group.id, part), asker: await askerFor(kind, null, actor), maker: '' }
      }
      if (kind.scope === 'user') {
        // Documents of one's own are made but once; a person for each cell has a fresh one.
        const isPerson = actor !== 'link to read' && actor !== 'link to write'
        const asker = isPerson ? await newPerson(actor) : await askerFor(kind, null, actor)
        const maker = isAnothers ? owner.id : asker.id
        return { name: documentName(kind.name, maker), asker, maker }
      }
      const channelId = await newChannel(typeOf(kind))
      const asker = await askerFor(kind, channelId, actor)
      const maker = isAnothers ? idOf(actor === 'owner' ? 'member' : 'owner') : asker.id
      const name = documentName(kind.name, channelId, kind.part === 'segment' ? '0' : undefined)
      await run(kind, name, maker, preparedFor(kind.name, maker))
      return { name, asker, maker }
    },
    submit: (name, userId) => {
      const input = { groupId: group.id, productive: 8, satisfied: 7, body: 6, care: 9 }
      return run(kindOf('checkins'), name, userId, [['checkin.submit', input]])
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

const GROUP_FACTS = { timezone: 'UTC', frequency: 'weekly', createdAt: 0, joinedAt: 0 } as const

let ids = 0

/** What an operation is told when it is run for no request. */
export const CONTEXT = {
  role: 'owner',
  members: new Set<string>(),
  isSealed: false,
  groups: new Map(),
  deviceId: 'device-00001',
  newId: () => `made-${String(++ids).padStart(8, '0')}`,
  random: () => 0.5,
} as const

export const kindOf = (name: string): Kind => {
  const kind = KINDS.get(name)
  if (!kind) throw new Error(`no kind ${name}`)
  return kind
}
