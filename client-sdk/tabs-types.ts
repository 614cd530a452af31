// What the tabs of one person on one device agree on: one leads and owns the socket, all hear what any of them says.
import type { StoredValue } from './offline/store.ts'

export interface TabMessage {
  readonly type: string
  readonly [field: string]: StoredValue | undefined
}

export interface Tabs extends AsyncDisposable {
  readonly isLeader: boolean
  /** Called when this tab begins or ceases to lead. Returns its undo. */
  readonly onLeadership: (listener: (isLeader: boolean) => void) => () => void
  /** To all other tabs, in order. */
  readonly post: (message: TabMessage) => void
  /** From other tabs. Returns its undo. */
  readonly onMessage: (listener: (message: TabMessage) => void) => () => void
}
