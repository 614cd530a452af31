// Makes routes of the table of facades: finds the document and the input among the parameters, and leaves the rest to
// what the generic route uses.
import { Hono } from 'hono'
import { AppError } from '../../shared/errors.ts'
import { isPlainObject } from '../../shared/json.ts'
import type { AccessClaims } from '../auth/access-token.ts'
import { actorOf, type AppDependencies, type HttpContext, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { type Facade, FACADES, type OperationFacade, type ReaderFacade, type ViewFacade } from './facades.ts'
import { mustKind, mustOperation, mustRead, operate, readDocument, targetOf } from './operate.ts'
import { readJson } from './validate.ts'

/** Names of the parameters in a path. */
export const parametersOf = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string)

/** A path as the router writes it. */
export const routeOf = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

const mustParameter = (c: HttpContext, name: string): string => {
  const value = c.req.param(name) ?? c.req.query(name)
  if (value === undefined) throw new AppError('input/invalid', `${name}: which ${name}? say ?${name}=…`)
  return value
}

/** A message may be in any segment of its chat; without a word about it, it is in the newest. */
const targetIn = (c: HttpContext, { kind, document }: Facade, { userId }: AccessClaims) =>
  targetOf(kind, document === 'me' ? userId : mustParameter(c, document), c.req.query('segment'))

const findIn = (view: unknown, lists: readonly string[], id: string): unknown => {
  const records = lists.reduce<unknown[]>(
    (found, name) => found.flatMap((one) => (isPlainObject(one) && Array.isArray(one[name]) ? one[name] : [])),
    [view],
  )
  const record = records.find((one) => isPlainObject(one) && one['id'] === id)
  if (!record) throw new AppError('record/not-found', 'no such record', { id: id.slice(0, 80) })
  return record
}

const reader = (deps: AppDependencies, facade: ReaderFacade) => {
  const read = mustRead(mustKind(facade.kind))
  return async (c: HttpContext): Promise<Response> => {
    const claims = await actorOf(deps, c)
    const view = await readDocument(deps, claims, targetIn(c, facade, claims), read)
    return success(c, facade.lists ? findIn(view, facade.lists, c.req.param('id') as string) : view)
  }
}

const viewer = (deps: AppDependencies, { view, document }: ViewFacade) => {
  return async (c: HttpContext): Promise<Response> => {
    const claims = await actorOf(deps, c)
    const id = document === 'me' ? claims.userId : mustParameter(c, document)
    return success(c, await view.read({ deps, claims, id, query: c.req.query() }))
  }
}

const mustSplit = ({ split }: OperationFacade, id: string | undefined) => {
  const fields = split?.(id ?? '')
  if (!fields) throw new AppError('record/not-found', 'no such record', { id: id?.slice(0, 80) })
  return fields
}

const runner = (deps: AppDependencies, facade: OperationFacade) => {
  const operation = mustOperation(mustKind(facade.kind), facade.operation)
  const names = parametersOf(facade.path).filter((name) => name !== facade.document)
  const givenIn = (c: HttpContext) => ({
    ...(facade.split
      ? mustSplit(facade, c.req.param('id'))
      : Object.fromEntries(names.map((name) => [name, c.req.param(name)]))),
    ...facade.fixed,
  })
  return async (c: HttpContext): Promise<Response> => {
    const claims = await actorOf(deps, c)
    const readInput = async (): Promise<unknown> => {
      const given = givenIn(c)
      if (facade.method === 'DELETE') return given
      const body = await readJson(c)
      return isPlainObject(body) ? { ...body, ...given } : body
    }
    const { result, changes } = await operate(deps, claims, targetIn(c, facade, claims), operation, readInput)
    return success(c, result, facade.creates && changes.length > 0 ? 201 : 200)
  }
}

const handlerOf = (deps: AppDependencies, facade: Facade) => {
  if ('operation' in facade) return runner(deps, facade)
  return 'view' in facade ? viewer(deps, facade) : reader(deps, facade)
}

/** Below the API's base. */
export const createFacadeRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()
  for (const facade of FACADES) {
    routes.on(facade.method, routeOf(facade.path), handlerOf(deps, facade))
  }
  return routes
}
