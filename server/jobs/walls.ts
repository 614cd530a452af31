// Keeps the walls of groups as their members' check-ins say. After each commit of somebody's check-ins the walls they
// are on are brought up to date. A crash between the two loses nothing for ever: the first time a wall is opened after a
// start it is made anew from all its members' check-ins. A row for each pending job would have to be written with every
// commit, for the sake of a gap that this closes without any.
import { type Checkin, readCheckins } from '../../shared/checkins/model.ts'
import { LATE_MS_MAX } from '../../shared/limits.ts'
import { documentName, type DocumentName, parseDocumentName } from '../../shared/names.ts'
import { writeChanges } from '../../shared/operation.ts'
import { boundsOf, yearOf } from '../../shared/period.ts'
import { planWall, sharedOf, type WallGroup, type WallMember } from '../../shared/wall/projection.ts'
import type { SharedCheckin } from '../../shared/wall/model.ts'
import type { Logger } from '../log.ts'
import type { Sync } from '../sync/sync.ts'
import { createJobQueue, type JobQueueDeps } from './queue.ts'

const DAY_MS = 24 * 3_600_000
/** A check-in whose period ended longer ago is never written again. Two days for zones, moved clocks and outages. */
const WRITABLE_MS_MAX = LATE_MS_MAX + 2 * DAY_MS

const ORIGIN = { source: 'job', job: 'walls' }

/** Who shares no scores is on no wall, though they count as a member. */
export interface SharingMember extends WallMember {
  readonly sharesScores: boolean
}

export interface SharingGroup extends WallGroup {
  readonly createdAt: number
  readonly members: readonly SharingMember[]
}

const NOTHING: ReadonlyMap<string, SharedCheckin> = new Map()

export interface WallsDeps {
  readonly sync: Pick<Sync, 'withDocument' | 'onStored' | 'onLoaded'>
  /** Null when there is no such group. */
  readonly findGroup: (groupId: string) => Promise<SharingGroup | null>
  readonly now: () => number
  readonly log: Logger
  readonly after?: JobQueueDeps['after']
}

export interface Walls extends AsyncDisposable {
  /** What the user shows of their check-ins may be something else now. */
  readonly user: (userId: string) => void
}

/** Starts the projection. Disposing lets a running job end; it must come before `sync` is disposed. */
export const startWalls = ({ sync, findGroup, now, log, after }: WallsDeps): Walls => {
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

  /** Brings the walls up to date that check-ins since then can be seen on: those of groups the user is a member of. */
  const projectUser = async (userId: string, since: number): Promise<void> => {
    const checkins = await read(userId)
    const concerned = checkins.filter(({ period }) => boundsOf(period, 'UTC').endsAt >= since)
    for (const [groupId, some] of Map.groupBy(concerned, (checkin) => checkin.groupId)) {
      const group = await findGroup(groupId)
      const member = group?.members.find((one) => one.userId === userId)
      if (!group || !member) continue
      for (const year of new Set(some.map(({ period }) => yearOf(period)))) {
        const shared = member.sharesScores ? sharedOf(userId, checkins, groupId, year) : NOTHING
        await write(group, year, new Map([[userId, shared]]))
      }
    }
  }

  /** Makes a wall anew from what its members' documents hold. */
  const projectWall = async (groupId: string, year: number): Promise<void> => {
    const group = await findGroup(groupId)
    // Years that cannot have a check-in are not worth reading everybody's for.
    if (!group || year < new Date(group.createdAt).getUTCFullYear() - 1) return
    if (year > new Date(now()).getUTCFullYear() + 1) return
    const shared = new Map<string, ReadonlyMap<string, SharedCheckin>>()
    for (const { userId, sharesScores } of group.members)
      shared.set(userId, sharesScores ? sharedOf(userId, await read(userId), groupId, year) : NOTHING)
    await write(group, year, shared)
  }

  const queue = createJobQueue({
    run: (job) => {
      const { kind, id, part } = parseDocumentName(job)
      if (kind === 'wall') return projectWall(id, Number(part))
      return projectUser(id, kind === 'checkins' ? now() - WRITABLE_MS_MAX : Number.NEGATIVE_INFINITY)
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

  return {
    // Not only what can still be written: what somebody shows of the past is theirs to take back too.
    user: (userId) => queue.add(documentName('me', userId), true),
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  }
}
