// The one tab of a store that nobody else has open: it leads, and nobody hears it.
import type { Tabs } from './tabs-types.ts'

export const soloTabs = (): Tabs => ({
  isLeader: true,
  onLeadership: () => () => {},
  post: () => {},
  onMessage: () => () => {},
  [Symbol.asyncDispose]: async () => {},
})
