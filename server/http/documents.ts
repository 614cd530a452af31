// The routes of documents: one reader and one operation route for every kind there is.
import { Hono } from 'hono'
import { type AppDependencies, type HttpContext, type HttpEnv, visitorOf } from './context.ts'
import { DOCUMENT_TEXT } from './document-view.ts'
import { success } from './envelope.ts'
import { mustOperation, mustRead, operate, readDocument, targetOf } from './operate.ts'
import { CHAT_PAGE } from './pages.ts'
import { readJson } from './validate.ts'
import type { View } from './view.ts'

/** Kinds whose documents are not simply read whole. */
export const KIND_VIEWS: ReadonlyMap<string, View> = new Map([
  ['chat', CHAT_PAGE],
  ['document', DOCUMENT_TEXT],
])

const targetIn = (c: HttpContext) => {
  const [id, part] = [c.req.param('id') as string, c.req.param('part')]
  return { id, part, ...targetOf(c.req.param('kind') as string, id, part) }
}

/** Below `/documents`. */
export const createDocumentRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const routes = new Hono<HttpEnv>()

  const read = async (c: HttpContext): Promise<Response> => {
    const target = targetIn(c)
    const { kind, id, part } = target
    const reader = mustRead(kind)
    const claims = await visitorOf(deps, c)
    const view = KIND_VIEWS.get(kind.name)
    if (view) return success(c, await view.read({ deps, claims, id, part, query: c.req.query() }))
    return success(c, await readDocument(deps, claims, target, reader))
  }

  const run = async (c: HttpContext): Promise<Response> => {
    const target = targetIn(c)
    const operation = mustOperation(target.kind, c.req.param('name') as string)
    const claims = await visitorOf(deps, c)
    const { result } = await operate(deps, claims, target, operation, () => readJson(c))
    return success(c, { result })
  }

  routes.get('/:kind/:id', read)
  routes.get('/:kind/:id/:part', read)
  routes.post('/:kind/:id/operations/:name', run)
  routes.post('/:kind/:id/:part/operations/:name', run)
  return routes
}
