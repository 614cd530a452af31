// What is read of check-ins by REST: pages of one's own, those of the running periods, a group's wall, and the analytics.
// Each view gathers documents that its caller may read and hands them to the readers that the SDK uses.
import { z } from 'zod'
import { periodsIn, readComparison, readGroupStatistics, readTrends } from '../../shared/checkins/analytics.ts'
import { readInsights } from '../../shared/checkins/insights.ts'
import { type Checkin, readCheckins } from '../../shared/checkins/model.ts'
import { readStreak } from '../../shared/checkins/streak.ts'
import { AppError } from '../../shared/errors.ts'
import { id as idInput } from '../../shared/inputs.ts'
import { PAGE_LENGTH_MAX } from '../../shared/limits.ts'
import { periodAt, yearOf } from '../../shared/period.ts'
import type { GroupFacts } from '../../shared/rules.ts'
import { readWall, type Wall } from '../../shared/wall/model.ts'
import { readDocument, targetOf } from './operate.ts'
import { type Asking, defineView } from './view.ts'

const PAGE_LENGTH = 50
/** Two years of weeks. */
const PERIODS_MAX = 104

const groupId = idInput.check(z.meta({ description: 'Which group.', examples: ['group-0000000001'] }))
const count = z.coerce
  .number()
  .int()
  .min(1)
  .max(PERIODS_MAX)
  .default(12)
  .meta({ description: 'How many periods to look back.' })
const limit = z.coerce.number().int().min(1).max(PAGE_LENGTH_MAX).default(PAGE_LENGTH)
const before = z.string().max(80).optional().meta({ description: 'The cursor that the last page gave.' })

type Anyone = Pick<Asking<unknown>, 'deps' | 'claims'>

const ownTarget = ({ claims }: Anyone) => targetOf('checkins', claims.userId)

const readOwn = async (asking: Anyone): Promise<readonly Checkin[]> =>
  (await readDocument(asking.deps, asking.claims, ownTarget(asking), readCheckins)).checkins

/** The groups one belongs to. */
const groupsOf = async (asking: Anyone): Promise<ReadonlyMap<string, GroupFacts>> =>
  (await asking.deps.access.openFor(asking.claims, ownTarget(asking).name)).facts.groups

const mustGroup = async (asking: Anyone, group: string): Promise<{ groupId: string; until: string }> => {
  const facts = (await groupsOf(asking)).get(group)
  if (!facts) throw new AppError('access/not-found', 'no such group')
  return { groupId: group, until: periodAt(asking.deps.now(), facts) }
}

const wallOf = ({ deps, claims }: Anyone, group: string, year: number): Promise<Wall> =>
  readDocument(deps, claims, targetOf('wall', group, String(year)), readWall)

/** The statistics of the walls of every year that the range touches. */
const statsOf = async (asking: Anyone, group: string, until: string, periods: number): Promise<Wall['stats']> => {
  const years = new Set(periodsIn({ until, count: periods }).map(yearOf))
  const walls = await Promise.all([...years].map((year) => wallOf(asking, group, year)))
  return Object.assign({}, ...walls.map(({ stats }) => stats)) as Wall['stats']
}

export const CHECKIN_PAGE = defineView({
  summary: 'One’s own check-ins, newest first, private and retracted ones too.',
  query: z.strictObject({ groupId: z.optional(groupId), limit, before }),
  read: async ({ query, ...asking }) => {
    const all = (await readOwn(asking)).filter((one) => query.groupId === undefined || one.groupId === query.groupId)
    const last = all.findIndex(({ id }) => id === query.before)
    if (query.before !== undefined && last < 0) throw new AppError('input/invalid', 'before: not a cursor of this list')
    const checkins = all.slice(last + 1, last + 1 + query.limit)
    const isLast = last + 1 + query.limit >= all.length
    return { checkins, ...(!isLast && { before: checkins.at(-1)?.id }) }
  },
})

export const CURRENT_CHECKINS = defineView({
  summary: 'One’s own check-ins of the periods that are running now, in each of one’s groups.',
  query: z.strictObject({ groupId: z.optional(groupId) }),
  read: async ({ query, ...asking }) => {
    const groups = await groupsOf(asking)
    const now = asking.deps.now()
    const isCurrent = ({ groupId: group, period, retracted }: Checkin): boolean => {
      const facts = groups.get(group)
      const isWanted = query.groupId === undefined || query.groupId === group
      return isWanted && !retracted && facts !== undefined && periodAt(now, facts) === period
    }
    return { checkins: (await readOwn(asking)).filter(isCurrent) }
  },
})

export const GROUP_WALL = defineView({
  summary: 'What a group’s members share of their check-ins in a year, the running one unless another is named.',
  query: z.strictObject({ year: z.coerce.number().int().min(1970).max(9999).optional() }),
  read: async ({ id, query, ...asking }) => {
    const { until } = await mustGroup(asking, id)
    return wallOf(asking, id, query.year ?? yearOf(until))
  },
})

export const PERSONAL_TRENDS = defineView({
  summary: 'One’s own trends in a group, period by period, and one’s streak.',
  query: z.strictObject({ groupId, count }),
  read: async ({ query, ...asking }) => {
    const options = await mustGroup(asking, query.groupId)
    const checkins = await readOwn(asking)
    return { ...readTrends(checkins, { ...options, count: query.count }), streak: readStreak(checkins, options) }
  },
})

export const GROUP_STATISTICS = defineView({
  summary: 'A group’s statistics; averages are withheld where fewer than three took part.',
  query: z.strictObject({ count }),
  read: async ({ id, query, ...asking }) => {
    const { until } = await mustGroup(asking, id)
    return readGroupStatistics(await statsOf(asking, id, until, query.count), { until, count: query.count })
  },
})

export const COMPARISON = defineView({
  summary: 'One’s own check-ins beside the group’s averages.',
  query: z.strictObject({ groupId, count }),
  read: async ({ query, ...asking }) => {
    const options = await mustGroup(asking, query.groupId)
    const stats = await statsOf(asking, query.groupId, options.until, query.count)
    return readComparison(await readOwn(asking), stats, { ...options, count: query.count })
  },
})

export const INSIGHTS = defineView({
  summary: 'What rules over numbers make of one’s own check-ins in a group; nothing here guesses.',
  query: z.strictObject({ groupId }),
  read: async ({ query, ...asking }) => readInsights(await readOwn(asking), await mustGroup(asking, query.groupId)),
})
