// The client: who is there, their documents, and nothing that waits for a server. Opens the person who uses this device, and
// another one when that changes.
import type { readGroup } from '../shared/group/model.ts'
import type { readMe } from '../shared/me/model.ts'
import { documentName } from '../shared/names.ts'
import type { SessionInfo } from '../shared/session-info.ts'
import type { readWall } from '../shared/wall/model.ts'
import type { readAsStored } from '../shared/document/content.ts'
import { areaOf, createAccount } from './account.ts'
import { LEFT } from './area-keys.ts'
import type { Account, Login, Profile, Registration } from './account-types.ts'
import type { Channels } from './channels.ts'
import type { CurrentUser, Handle, Quarantine } from './client-types.ts'
import type { Clock, ConnectionOptions, ConnectionState } from './connection-types.ts'
import type { Groups } from './groups.ts'
import { internals } from './internals.ts'
import type { BoardHandle } from './kinds/board.ts'
import type { ChatHandle } from './kinds/chat.ts'
import type { CheckInMethods, CheckInsValue } from './kinds/check-ins.ts'
import type { DocumentMethods } from './kinds/document.ts'
import type { MarksHandle } from './kinds/marks.ts'
import type { MeMethods } from './kinds/me.ts'
import type { TasksHandle } from './kinds/tasks.ts'
import { createMethods } from './kind-methods.ts'
import { createListeners } from './listeners.ts'
import { newId as uuidv7 } from './new-id.ts'
import { openPerson, type Person } from './person.ts'
import type { Presence } from './presence.ts'
import { openDisk, type StorageChoice } from './storage.ts'
import { openSwitchboard, soloSwitchboard } from './switchboard.ts'
import { systemClock } from './system-clock.ts'
import { soloTabs } from './solo-tabs.ts'
import { openTabs } from './tabs.ts'

/** Which server, where this device keeps things, and whether it connects. Only `url` is needed. */
export interface ClientOptions {
  /** Of the server, such as `http://localhost:4400`. */
  readonly url: string
  /** Where this device keeps things: `indexeddb` in browsers, `memory` elsewhere, where nothing is said. */
  readonly storage?: StorageChoice
  /** Starts without a connection; `goOnline()` changes that. */
  readonly offline?: boolean
  /** For tests; the platform's own otherwise. */
  readonly clock?: Clock
  readonly random?: () => number
  readonly newId?: () => string
  readonly fetch?: typeof fetch
  readonly WebSocket?: ConnectionOptions['WebSocket']
}

/**
 * Who uses this device. What needs the server rejects with `Unreachable` without it, and with `AppError` where it refuses:
 * `auth/required` where nobody is logged in, `auth/locked` after too many wrong passwords.
 */
export interface Auth {
  /** Makes the guest of this device an account, with all their work. Rejects with `auth/name-taken`, `input/invalid`, `Unreachable`. */
  readonly register: (input: Registration) => Promise<CurrentUser>
  /** Signs in; `guest` says what becomes of a guest's work: `merge` (the default), `keep`, `discard`. Rejects with `auth/bad-credentials`, `Unreachable`. */
  readonly login: (input: Login) => Promise<CurrentUser>
  /** Wipes what the server has; edits that are not stored yet stay sealed for this user's next login. Works offline. */
  readonly logout: () => Promise<void>
  readonly refresh: () => Promise<void>
  readonly me: () => Promise<Profile>
  readonly sessions: () => Promise<readonly SessionInfo[]>
  readonly endSession: (id: string) => Promise<void>
}

/**
 * This device's client: whoever uses it, and their documents. Opening a document needs no server; one that was never here is
 * empty until the server has sent it. Opening rejects with `AppError` `document/bad-name` for what is no id, with
 * `StoreError` where the disk cannot be read, with `auth/required` once the client is closed.
 */
export interface Client extends AsyncDisposable {
  readonly user: CurrentUser
  /** Another person uses this device now: handles of the one before are closed. */
  readonly onUser: (listener: (user: CurrentUser) => void) => () => void
  readonly status: ConnectionState
  readonly onStatus: (listener: (status: ConnectionState) => void) => () => void
  /** What went wrong on this device and nobody waited for, such as a full disk. */
  readonly onError: (listener: (error: unknown) => void) => () => void
  readonly auth: Auth
  readonly groups: Groups
  readonly channels: Channels
  /** The lists of groups or channels may say something else now; also when another person is there. */
  readonly onGroups: (listener: () => void) => () => void
  readonly quarantine: Quarantine
  readonly tasks: (channelId: string) => Promise<TasksHandle>
  readonly board: (channelId: string) => Promise<BoardHandle>
  readonly chat: (channelId: string) => Promise<ChatHandle>
  /** How far everybody has read the chat. */
  readonly marks: (channelId: string) => Promise<MarksHandle>
  /** Of a DOC channel; with `recordId` the long text of a task or card. */
  readonly document: (
    channelId: string,
    recordId?: string,
  ) => Promise<Handle<ReturnType<typeof readAsStored>> & DocumentMethods>
  /** All check-ins of one's own. */
  readonly checkIns: () => Promise<Handle<CheckInsValue> & CheckInMethods>
  readonly wall: (groupId: string, year: number) => Promise<Handle<ReturnType<typeof readWall>>>
  readonly group: (groupId: string) => Promise<Handle<ReturnType<typeof readGroup>>>
  readonly me: () => Promise<Handle<ReturnType<typeof readMe>> & MeMethods>
  readonly presence: (groupId: string) => Promise<Presence>
  readonly goOffline: () => void
  readonly goOnline: () => void
  /** Keeps what is not kept yet, and ends everything. */
  readonly close: () => Promise<void>
}

const NO_METHODS = Promise.resolve(() => ({}))

/**
 * Opens the client of this device. Needs no server: everything that is cached can be read and written at once.
 *
 * Rejects with `StoreError` where the device keeps nothing.
 *
 * @example
 * const client = await createClient({ url: 'http://localhost:4400' })
 * const group = await client.groups.create({ name: 'Home' })
 * const channel = await client.channels.create(group.id, { type: 'TODO', name: 'Shopping' })
 * const list = await client.tasks(channel.id)
 * list.add({ title: 'milk' })
 */
export const createClient = async (options: ClientOptions): Promise<Client> => {
  const { url, clock = systemClock, random = Math.random, newId = uuidv7 } = options
  await using owned = new AsyncDisposableStack()
  const { disk, isShared } = await openDisk(options.storage, url)
  const device = owned.use(await disk.open('device'))
  const methods = createMethods(device)
  const account: Account = owned.use(
    await createAccount({ url, device, clock, newId, ...(options.fetch && { fetch: options.fetch }) }),
  )
  const statusChanged = createListeners<ConnectionState>()
  const userChanged = createListeners<CurrentUser>()
  const groupsChanged = createListeners<void>()
  const errors = createListeners<unknown>()
  let isOnline = options.offline !== true

  const board = owned.use(
    isShared
      ? openSwitchboard({
          server: new URL(url).origin,
          onBegin: () => void inTurn(closePerson),
          onEnd: () => void inTurn(reopen),
        })
      : soloSwitchboard(),
  )

  const openCurrent = async (): Promise<Person> => {
    const [guests, left, release] = await Promise.all([account.guests(), device.list(LEFT), board.hold(account.area)])
    if (left.size > 0 || guests.some(({ plan }) => plan?.userId === account.user.id)) {
      const { prepareArea } = await import('./person-switch.ts')
      await prepareArea(account, disk, device)
    }
    const name = `${new URL(url).origin}/${account.area}`
    const opened = await openPerson({
      url,
      account,
      disk,
      openTabs: async () => (isShared ? openTabs({ name, clock, random }) : soloTabs()),
      clock,
      newId,
      random,
      isOnline,
      onClosed: release,
      ...(options.WebSocket && { WebSocket: options.WebSocket }),
    })
    opened.workspace.onStatus(statusChanged.tell)
    opened.workspace.onError(errors.tell)
    opened.onGroups(groupsChanged.tell)
    return opened
  }

  let person = await openCurrent()
  let isPersonOpen = true
  /** Changes of person, one after the other; what is asked of the client meanwhile waits. */
  let turn: Promise<unknown> = Promise.resolve()
  let isActing = false
  const inTurn = <Result>(run: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(run)
    turn = result.catch(() => {})
    return result
  }

  const closePerson = async (): Promise<void> => {
    if (!isPersonOpen) return
    isPersonOpen = false
    await person[Symbol.asyncDispose]()
  }

  /** Another tab changed who is there, or a login was renewed. */
  const reopen = async (): Promise<void> => {
    await account.reload()
    if (isPersonOpen && account.user.id === person.user.id) {
      person.workspace.loginChanged()
    } else {
      await closePerson()
      person = await openCurrent()
      isPersonOpen = true
    }
    userChanged.tell(account.user)
    statusChanged.tell(person.workspace.status)
    groupsChanged.tell()
  }

  /** Runs what changes the login, and follows it: with all that the one before leaves and the next takes over. */
  const change = <Result>(act: () => Promise<Result>): Promise<Result> =>
    inTurn(async () => {
      const { user } = person
      // A crash in between leaves no area open.
      if (!account.user.isGuest) await device.write({ put: { [LEFT + user.id]: true } })
      isActing = true
      const result = await act().finally(() => (isActing = false))
      if (account.user.id !== user.id) {
        await closePerson()
        await board.begin(areaOf(user.id))
      }
      await reopen()
      board.end()
      return result
    })

  account.subscribe((event) => {
    if (event.type === 'ended') person.workspace.loginChanged()
    else if (!isActing && isPersonOpen && event.to.id === person.user.id) person.workspace.loginChanged()
  })

  const opened = async (): Promise<Person> => {
    await turn
    return person
  }

  const auth: Auth = {
    register: (input) => change(() => account.register(input)),
    login: (input) => change(() => account.login(input)),
    logout: () => change(account.logout),
    refresh: account.refresh,
    me: account.me,
    sessions: account.sessions,
    endSession: account.endSession,
  }

  const kept = owned.move()
  const close = async (): Promise<void> => {
    await turn
    await closePerson()
    await kept.disposeAsync()
  }

  const setOnline = (next: boolean): void => {
    isOnline = next
    person.workspace.setOnline(next)
  }

  const client: Client = {
    get user() {
      return account.user
    },
    onUser: userChanged.add,
    get status() {
      return person.workspace.status
    },
    onStatus: statusChanged.add,
    onError: errors.add,
    auth,
    get groups() {
      return person.groups
    },
    get channels() {
      return person.channels
    },
    onGroups: groupsChanged.add,
    get quarantine() {
      return person.workspace.quarantine
    },
    tasks: async (id) => (await opened()).open(documentName('tasks', id), methods('tasks')),
    board: async (id) => (await opened()).open(documentName('board', id), methods('board')),
    chat: async (id) => (await opened()).chat(id, methods('chat')),
    marks: async (id) => (await opened()).open(documentName('marks', id), methods('marks')),
    document: async (id, recordId) =>
      (await opened()).open(documentName('document', id, recordId), methods('document')),
    checkIns: async () => (await opened()).open(documentName('checkins', account.user.id), methods('checkins')),
    wall: async (id, year) => (await opened()).open(documentName('wall', id, String(year)), methods('wall')),
    group: async (id) => (await opened()).open(documentName('group', id), NO_METHODS),
    me: async () => (await opened()).open(documentName('me', account.user.id), methods('me')),
    presence: async (groupId) => (await opened()).presence(groupId),
    goOffline: () => setOnline(false),
    goOnline: () => setOnline(true),
    close,
    [Symbol.asyncDispose]: close,
  }
  internals.set(client, { device, person: () => person, settledPerson: opened, disk, clock, newId })
  return client
}
