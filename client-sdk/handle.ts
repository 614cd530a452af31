// An open document as apps hold it: the replica, read by its kind, with operations as methods.
import * as Y from 'yjs'
import { AppError } from '../shared/errors.ts'
import type { AnyOperation } from '../shared/operation.ts'
import type { Handle } from './client-types.ts'
import { createListeners } from './listeners.ts'
import { isOwnEdit } from './origin.ts'
import type { Replica } from './replica.ts'

/** Undo of a rich text, whoever's editor writes it: by Yjs, over all that this tab wrote. */
const createTextHistory = (doc: Y.Doc): Y.UndoManager =>
  new Y.UndoManager(doc, {
    // Which are tracked is said below.
    trackedOrigins: { has: () => true, add: () => {}, delete: () => {} } as unknown as Set<unknown>,
    captureTransaction: ({ origin }) => isOwnEdit(origin),
  })

export interface HandleOptions<Value> {
  readonly replica: Replica
  readonly operations: ReadonlyMap<string, AnyOperation>
  readonly read: (doc: Y.Doc) => Value
  readonly onClose: () => Promise<void>
}

export const createHandle = <Value>({ replica, operations, read, onClose }: HandleOptions<Value>): Handle<Value> => {
  const closed = createListeners<void>()
  let isClosed = false
  let version = -1
  let value: Value
  let texts: { readonly doc: Y.Doc; readonly manager: Y.UndoManager } | null = null

  const readNow = (): Value => {
    if (version !== replica.version) {
      version = replica.version
      value = read(replica.doc)
    }
    return value
  }

  const history = () => {
    const own = replica.history()
    if (own) return own
    if (texts?.doc !== replica.doc) {
      texts?.manager.destroy()
      texts = { doc: replica.doc, manager: createTextHistory(replica.doc) }
    }
    const { manager } = texts
    return {
      undo: () => manager.undo() !== null,
      redo: () => manager.redo() !== null,
      canUndo: () => manager.canUndo(),
      canRedo: () => manager.canRedo(),
    }
  }
  // What is typed from now on can be undone.
  if (!replica.kind.rule) history()

  const end = (): void => {
    if (isClosed) return
    isClosed = true
    texts?.manager.destroy()
    closed.tell()
  }
  const stop = replica.onClose(end)

  return {
    name: replica.name,
    get doc() {
      return replica.doc
    },
    read: readNow,
    subscribe: (listener) => replica.onChange(() => listener(readNow())),
    get status() {
      return replica.status
    },
    onStatus: replica.onStatus,
    saved: replica.saved,
    stored: replica.stored,
    run: (name, input) => {
      const operation = operations.get(name)
      if (!operation) throw new AppError('operation/unknown', `no operation ${name} here`, { name })
      return replica.run(operation, input)
    },
    undo: () => history().undo(),
    redo: () => history().redo(),
    canUndo: () => history().canUndo(),
    canRedo: () => history().canRedo(),
    onClose: closed.add,
    close: async () => {
      if (isClosed) return
      stop()
      end()
      await onClose()
    },
  }
}
