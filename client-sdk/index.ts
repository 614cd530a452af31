// The entry `@syncline/client`: what apps may use.
export { createClient } from './client.ts'
export type { Auth, Client, ClientOptions } from './client.ts'
export type { Login, Profile, Registration } from './account-types.ts'
export type { ChatHandle, ChatValue } from './kinds/chat.ts'
export type { Channels, NewChannel } from './channels.ts'
export type {
  ChannelView,
  CurrentUser,
  GroupView,
  Handle,
  HandleStatus,
  Quarantine,
  Quarantined,
} from './client-types.ts'
export type { Clock, ConnectionState } from './connection-types.ts'
export type { Groups, Joining, NewGroup } from './groups.ts'
export { Unreachable } from './http.ts'
export type { BoardHandle, BoardMethods } from './kinds/board.ts'
export type { CheckInMethods, CheckInsValue } from './kinds/check-ins.ts'
export type { DocumentMethods } from './kinds/document.ts'
export type { MarksHandle, MarksMethods } from './kinds/marks.ts'
export type { MeMethods } from './kinds/me.ts'
export type { TaskMethods, TasksHandle } from './kinds/tasks.ts'
export { migrateLocalStorage } from './migrate.ts'
export type {
  FollowUp,
  Left,
  Made,
  MigrationError,
  MigrationOptions,
  MigrationPlan,
  MigrationProgress,
  MigrationReport,
  MigrationSource,
  OperationStep,
  Receipt,
  SourceContext,
  SourceReport,
  SourceStorage,
  Step,
} from './migrate-types.ts'
export { StoreError } from './offline/store.ts'
export type { Disk, Store, StoreErrorCode } from './offline/store.ts'
export type { Presence } from './presence.ts'
export type { StorageChoice } from './storage.ts'
export { AppError } from '../shared/errors.ts'
export type { ErrorCode } from '../shared/errors.ts'
export type { SessionInfo } from '../shared/session-info.ts'
