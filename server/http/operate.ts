// One operation or one reader on a live document. The generic route and the facades both come through here, so they
// cannot differ: kind, access, permission, input, then the document.
import type * as Y from 'yjs'
import { can } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import type { Kind } from '../../shared/kind.ts'
import { documentName, type DocumentName } from '../../shared/names.ts'
import { type AnyOperation, type OperationContext, type Plan, runOperation } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import type { Grant } from '../access.ts'
import type { AccessClaims } from '../auth/access-token.ts'
import type { AppDependencies } from './context.ts'

export interface OperateDependencies extends Pick<AppDependencies, 'sync' | 'now' | 'newId' | 'random'> {
  readonly access: Pick<AppDependencies['access'], 'openFor'>
  readonly changes: Pick<AppDependencies['changes'], 'rightsVersion'>
}

export interface Target {
  readonly kind: Kind
  /** A chat's name without a part means its newest segment. */
  readonly name: DocumentName
  readonly hasPart: boolean
}

/** Throws `document/bad-name`. */
export const mustKind = (name: string): Kind => {
  const kind = KINDS.get(name)
  if (!kind) throw new AppError('document/bad-name', 'no such kind of document', { kind: name.slice(0, 80) })
  return kind
}

/** Throws `document/bad-name` for a kind that does not exist and for what cannot be a name. */
export const targetOf = (kindName: string, id: string, part?: string): Target => ({
  kind: mustKind(kindName),
  name: documentName(kindName, id, part),
  hasPart: part !== undefined,
})

/** Throws `operation/unknown`. */
export const mustOperation = (kind: Kind, name: string): AnyOperation => {
  const operation = kind.operations.find((one) => one.name === name)
  if (!operation) throw new AppError('operation/unknown', `documents of kind ${kind.name} have no such operation`)
  return operation
}

/** Throws `operation/unknown` for a kind that nobody reads as JSON. */
export const mustRead = (kind: Kind): ((doc: Y.Doc) => unknown) => {
  if (!kind.read) throw new AppError('operation/unknown', `documents of kind ${kind.name} have no reader`)
  return kind.read
}

const contextOf = (deps: OperateDependencies, grant: Grant): OperationContext => ({
  ...grant.facts,
  actor: grant.userId,
  role: grant.role,
  deviceId: grant.deviceId,
  now: deps.now(),
  newId: deps.newId,
  random: deps.random,
})

const isSealed = (error: unknown): boolean => error instanceof AppError && error.code === 'segment-sealed'

/**
 * Runs an operation and resolves once it is on disk. `readInput` is asked only after access and permission are settled.
 * Throws `access/not-found`, `access/forbidden`, what the input, the operation or the kind's rule says, or
 * `storage/unavailable`.
 */
export const operate = async (
  deps: OperateDependencies,
  claims: AccessClaims,
  { kind, name, hasPart }: Target,
  operation: AnyOperation,
  readInput: () => Promise<unknown>,
): Promise<Plan<unknown>> => {
  const open = async (): Promise<{ grant: Grant; rightsVersion: number }> => {
    const rightsVersion = deps.changes.rightsVersion()
    const grant = await deps.access.openFor(claims, name)
    if (grant.readOnly || !can(grant.role, operation.needs))
      throw new AppError('access/forbidden', `${operation.name} needs the right to ${operation.needs} here`)
    return { grant, rightsVersion }
  }
  const origin = { source: 'rest', operation: operation.name }
  const run = async (opened: Awaited<ReturnType<typeof open>>, input: unknown): Promise<Plan<unknown>> => {
    const { grant, rightsVersion } = opened
    const plan = await deps.sync.withDocument(grant.name, (doc) => {
      // Somebody's rights changed while the document was loaded: perhaps these.
      if (deps.changes.rightsVersion() !== rightsVersion) return null
      return runOperation(kind, operation, doc, input, contextOf(deps, grant), origin)
    })
    return plan ?? run(await open(), input)
  }

  const opened = await open()
  const input = await readInput()
  try {
    return await run(opened, input)
  } catch (error) {
    // The newest segment was sealed between the look-up and the writing: there is a newer one now.
    if (hasPart || !isSealed(error)) throw error
    return run(await open(), input)
  }
}

/** What `read` finds in the document; throws `access/not-found` or `storage/unavailable`. */
export const readDocument = async <Result>(
  deps: OperateDependencies,
  claims: AccessClaims,
  { name }: Target,
  read: (doc: Y.Doc) => Result,
): Promise<Result> => {
  const grant = await deps.access.openFor(claims, name)
  return deps.sync.withDocument(grant.name, read)
}
