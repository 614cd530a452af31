// What the tab that leads has and the others have not: the connection, and the engine that moves edits over it.
import type { Connection } from './connection-types.ts'
import { recordingContext } from './context.ts'
import { createEngine, type Engine } from './engine.ts'
import type { EngineEvent } from './engine-event.ts'
import type { Held } from './held.ts'
import { loadOperations } from './kinds.ts'
import type { RecordedOperation } from './offline/store.ts'
import type { QuarantineStore } from './quarantine.ts'
import type { Replica } from './replica.ts'
import type { WorkspaceOptions } from './workspace-types.ts'

export interface Leading extends AsyncDisposable {
  readonly connection: Connection
  readonly engine: Engine
}

export interface LeadingOptions extends WorkspaceOptions {
  readonly quarantine: QuarantineStore
  readonly replicas: Held<Replica>
  /** Resolves when all that was told of the document so far is in its replica. */
  readonly settled: (document: string) => Promise<void>
  readonly tell: (event: EngineEvent) => void
  readonly report: (error: unknown) => void
}

export const startLeading = (options: LeadingOptions): Leading => {
  const { store, clock, draws, facts, replicas, report } = options
  const connection = options.connect()

  /** A message that came too late for its segment is made again in the newest. */
  const resend = async (document: string, operation: RecordedOperation): Promise<boolean> => {
    const successor = await options.successorOf(document)
    if (successor === null) return false
    const replica = await replicas.hold(successor)
    try {
      const edit = { document: successor, operation, clientId: replica.doc.clientID }
      replica.adopt(edit, await loadOperations(successor))
      await replica.saved()
      return true
    } finally {
      await replicas.drop(successor)
    }
  }

  const engine = createEngine({
    store,
    connection,
    clock,
    quarantine: options.quarantine,
    context: (kind, document) => recordingContext(facts.of(kind, document), draws).ctx,
    hold: replicas.hold,
    release: replicas.drop,
    settled: options.settled,
    tell: options.tell,
    untilCommandsSent: options.untilCommandsSent,
    commandsDone: options.commandsDone,
    resend,
    onError: report,
  })

  connection.subscribe((state) => {
    if (state === 'live') engine.activate().catch(report)
  })

  return {
    connection,
    engine,
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]()
      await connection[Symbol.asyncDispose]()
    },
  }
}
