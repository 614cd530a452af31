// What a workspace is made of, and what it offers to the rest of the client.
import type { Json } from '../shared/json.ts'
import type { Clock, Connection, ConnectionState } from './connection-types.ts'
import type { Draws } from './context.ts'
import type { FactsSource } from './facts.ts'
import type { Store } from './offline/store.ts'
import type { QuarantineStore } from './quarantine.ts'
import type { Replica } from './replica.ts'
import type { Tabs } from './tabs-types.ts'

/** A stateless message to the server about a document. */
export interface Message {
  readonly type: string
  readonly [field: string]: Json
}

/** A stateless message of the server about a document. */
export interface ServerMessage {
  readonly document: string
  readonly message: { readonly type: string; readonly [field: string]: unknown }
}

export interface WorkspaceOptions {
  readonly store: Store
  readonly tabs: Tabs
  readonly clock: Clock
  readonly draws: Draws
  readonly facts: FactsSource
  /** Made anew each time this tab begins to lead. */
  readonly connect: () => Connection
  readonly untilCommandsSent: () => Promise<void> | null
  /** How many commands the server has done, since this was opened. */
  readonly commandsDone: () => number
  /** The document that new things go to instead of a sealed one; null where none is known. */
  readonly successorOf: (document: string) => Promise<string | null>
  readonly isOnline: boolean
}

export interface Workspace extends AsyncDisposable {
  readonly quarantine: QuarantineStore
  readonly status: ConnectionState
  readonly onStatus: (listener: (status: ConnectionState) => void) => () => void
  readonly onMessage: (listener: (message: ServerMessage) => void) => () => void
  readonly onError: (listener: (error: unknown) => void) => () => void
  readonly report: (error: unknown) => void
  /** The server has this document open for us now. */
  readonly isOpen: (document: string) => boolean
  /** Opens the document in this tab, or counts one more who has it open. */
  readonly acquire: (document: string) => Promise<Replica>
  readonly release: (document: string) => Promise<void>
  readonly send: (document: string, message: Message) => void
  readonly setOnline: (isOnline: boolean) => void
  readonly loginChanged: () => void
}
