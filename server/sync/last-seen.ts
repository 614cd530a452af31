// When members of groups were last here, in memory only: it is a courtesy, and a restart may forget it.
import { LAST_SEEN_ENTRIES_MAX, LAST_SEEN_STEP_MS } from '../../shared/limits.ts'

export const createLastSeen = (entriesMax = LAST_SEEN_ENTRIES_MAX) => {
  /** By user, then by group; who was remembered longest ago comes first. */
  const users = new Map<string, Map<string, number>>()
  let size = 0

  const forgetUser = (userId: string): void => {
    size -= users.get(userId)?.size ?? 0
    users.delete(userId)
  }

  return {
    /** Returns what is remembered: the minute. */
    remember: (userId: string, group: string, at: number): number => {
      const minute = Math.floor(at / LAST_SEEN_STEP_MS) * LAST_SEEN_STEP_MS
      const groups = users.get(userId) ?? new Map<string, number>()
      users.delete(userId)
      users.set(userId, groups)
      if (!groups.has(group)) size++
      groups.set(group, minute)
      if (size > entriesMax) forgetUser(users.keys().next().value as string)
      return minute
    },
    forget: (userId: string, group: string): void => {
      const groups = users.get(userId)
      if (!groups?.delete(group)) return
      size--
      if (groups.size === 0) users.delete(userId)
    },
    forgetUser,
    at: (userId: string, group: string): number | undefined => users.get(userId)?.get(group),
    has: (userId: string): boolean => users.has(userId),
    size: () => size,
  }
}
