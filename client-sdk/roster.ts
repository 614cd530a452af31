// The cached projections of one person: `me/{user}`, and `group/{id}` of each group it names. They are kept open, so that
// groups, channels and roles are there offline, and stay current while there is a server.
import { type GroupProjection, readGroup } from '../shared/group/model.ts'
import { readMe } from '../shared/me/model.ts'
import { createListeners } from './listeners.ts'
import type { Replica } from './replica.ts'
import type { Workspace } from './workspace-types.ts'

export interface Roster extends AsyncDisposable {
  readonly me: () => ReturnType<typeof readMe> | null
  readonly groups: () => ReadonlyMap<string, GroupProjection>
  readonly onChange: (listener: () => void) => () => void
}

interface Cached<Value> {
  readonly replica: Replica
  version: number
  value: Value
}

const readCached = <Value>(cached: Cached<Value>, read: (replica: Replica) => Value): Value => {
  if (cached.version !== cached.replica.version) {
    cached.version = cached.replica.version
    cached.value = read(cached.replica)
  }
  return cached.value
}

const newCached = <Value>(replica: Replica, empty: Value): Cached<Value> => ({ replica, version: -1, value: empty })

const NO_GROUP: GroupProjection = { group: {}, members: [], channels: [] }

export const openRoster = async (
  workspace: Pick<Workspace, 'acquire' | 'release'>,
  userId: string,
  onError: (error: unknown) => void,
): Promise<Roster> => {
  const changed = createListeners<void>()
  const groups = new Map<string, Cached<GroupProjection> | null>()
  const undos: (() => void)[] = []
  const meName = `me/${userId}`
  const me = newCached<ReturnType<typeof readMe> | null>(await workspace.acquire(meName), null)
  let shown: ReadonlyMap<string, GroupProjection> = new Map()

  const readMeNow = (): ReturnType<typeof readMe> | null => readCached(me, ({ doc }) => readMe(doc))

  const openGroup = async (id: string): Promise<void> => {
    groups.set(id, null)
    const replica = await workspace.acquire(`group/${id}`)
    // Left again meanwhile.
    if (!groups.has(id)) {
      await workspace.release(`group/${id}`)
      return
    }
    groups.set(id, newCached(replica, NO_GROUP))
    undos.push(replica.onChange(changed.tell))
  }

  const follow = async (): Promise<void> => {
    const wanted = new Set(Object.keys(readMeNow()?.groups ?? {}))
    const opening = [...wanted].filter((id) => !groups.has(id)).map(openGroup)
    for (const id of groups.keys()) {
      if (wanted.has(id)) continue
      groups.delete(id)
      await workspace.release(`group/${id}`)
    }
    await Promise.all(opening)
    changed.tell()
  }

  undos.push(me.replica.onChange(() => void follow().catch(onError)))
  await follow()

  return {
    me: readMeNow,
    groups: () => {
      const next = new Map<string, GroupProjection>()
      for (const [id, cached] of groups) {
        const value = cached && readCached(cached, ({ doc }) => readGroup(doc))
        // Empty until the server has sent it.
        if (value && value.members.length > 0) next.set(id, value)
      }
      const isSame = next.size === shown.size && [...next].every(([id, value]) => shown.get(id) === value)
      if (!isSame) shown = next
      return shown
    },
    onChange: changed.add,
    [Symbol.asyncDispose]: async () => {
      for (const undo of undos.splice(0)) undo()
      const ids = [...groups.keys()]
      groups.clear()
      await Promise.all([workspace.release(meName), ...ids.map((id) => workspace.release(`group/${id}`))])
    },
  }
}
