// Keeps the walls of groups as their members' check-ins say. After each commit of somebody's check-ins the walls they
// are on are brought up to date. A crash between the two loses nothing for ever: the first time a wall is opened after a
// start it is made anew from all its members' check-ins. A row for each pending job would have to be written with every
// commit, for the sake of a gap that this closes without any.
import { type Checkin, readCheckins } from '../../shared/checkins/model.ts'
import { LATE_MS_MAX } from '../../shared/limits.ts'
import { documentName, type DocumentName, parseDocumentName } from '../../shared/names.ts'
import { writeChanges } from '../../shared/operation.ts'
import { boundsOf, yearOf } from '../../shared/period.ts'
import { planWall, sharedOf, type WallGroup } from '../../shared/wall/projection.ts'
import type { SharedCheckin } from '../../shared/wall/model.ts'
import type { Logger } from '../log.ts'
import type { Sync } from '../sync/sync.ts'
import { createJobQueue, type JobQueueDeps } from './queue.ts'

const DAY_MS = 24 * 3_600_000
/** A check-in whose period ended longer ago is never written again. Two days for zones, moved clocks and outages. */
const WRITABLE_MS_MAX = LATE_MS_MAX + 2 * DAY_MS

const ORIGIN = { source: 'job', job: 'walls' }

export interface WallsDeps {
  readonly sync: Pick<Sync, 'withDocument' | 'onStored' | 'onLoaded'>
  /** Null when there is no such group. */
  readonly findGroup: (groupId: string) => Promise<(WallGroup & { readonly createdAt: number }) | null>
  readonly now: () => number
  readonly log: Logger
  readonly after?: JobQueueDeps['after']
}

/** Starts the projection. Disposing lets a running job end; it must come before `sync` is disposed. */
export const startWalls = ({ sync, findGroup, now, log, after }: WallsDeps): AsyncDisposable => {
  /** Walls that were opened since the start, and so made anew once. */
  const opened = new Set<DocumentName>()

  const read = async (userId: string): Promise<readonly Checkin[]> =>
    (await sync.withDocument(documentName('checkins', userId), readCheckins)).checkins

  const write = (
    group: WallGroup,
    year: number,
    shared: ReadonlyMap<string, ReadonlyMap<string, SharedCheckin>>,
  ): Promise<void> =>
    sync.withDocument(documentName('wall', group.id, String(year)), (wall) =>
      writeChanges(wall, planWall(wall, group, shared), ORIGIN),
    )

  /** Brings the walls up to date that a user's newest changes can be seen on: those of groups they are a member of. */
  const projectUser = async (userId: string): Promise<void> => {
    const checkins = await read(userId)
    const since = now() - WRITABLE_MS_MAX
    const writable = checkins.filter(({ period }) => boundsOf(period, 'UTC').endsAt >= since)
    for (const [groupId, some] of Map.groupBy(writable, (checkin) => checkin.groupId)) {
      const group = await findGroup(groupId)
      if (!group?.members.some((member) => member.userId === userId)) continue
      for (const year of new Set(some.map(({ period }) => yearOf(period))))
        await write(group, year, new Map([[userId, sharedOf(userId, checkins, groupId, year)]]))
    }
  }

  /** Makes a wall anew from what its members' documents hold. */
  const projectWall = async (groupId: string, year: number): Promise<void> => {
    const group = await findGroup(groupId)
    // Years that cannot have a check-in are not worth reading everybody's for.
    if (!group || year < new Date(group.createdAt).getUTCFullYear() - 1) return
    if (year > new Date(now()).getUTCFullYear() + 1) return
    const shared = new Map<string, ReadonlyMap<string, SharedCheckin>>()
    for (const { userId } of group.members) shared.set(userId, sharedOf(userId, await read(userId), groupId, year))
    await write(group, year, shared)
  }

  const queue = createJobQueue({
    run: (job) => {
      const { kind, id, part } = parseDocumentName(job)
      return kind === 'checkins' ? projectUser(id) : projectWall(id, Number(part))
    },
    onFailed: (job, error, retryMs) => log.warn('walls.failed', { document: job, retryMs, error: String(error) }),
    ...(after && { after }),
  })

  sync.onStored((name) => {
    if (name.startsWith('checkins/')) queue.add(name, true)
  })
  sync.onLoaded((name) => {
    if (!name.startsWith('wall/') || opened.has(name)) return
    opened.add(name)
    queue.add(name)
  })

  return queue
}
