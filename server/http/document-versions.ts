// The routes of document versions: name the present state, list, read, restore.
import { Hono } from 'hono'
import { z } from 'zod'
import { can } from '../../shared/access.ts'
import { FORMATS } from '../../shared/document/formats.ts'
import { AppError } from '../../shared/errors.ts'
import { id, line } from '../../shared/inputs.ts'
import { VERSION_LABEL_LENGTH_MAX } from '../../shared/limits.ts'
import { isId } from '../../shared/names.ts'
import { parseInput } from '../../shared/define-operation.ts'
import type { VersionRow } from '../../storage/versions.ts'
import type { Grant } from '../access.ts'
import { actorOf, type AppDependencies, type HttpContext, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { targetOf } from './operate.ts'
import { readBody } from './validate.ts'
import { exampleChannel, type RouteRow } from './route-row.ts'

const versionBody = z.strictObject({ id: z.optional(id), label: z.nullish(line(VERSION_LABEL_LENGTH_MAX)) })

/** `format` of a reading; `json` where it is left out. */
const formatQuery = z.strictObject({ format: z.enum(FORMATS).default('json') })

const listQuery = z.strictObject({ before: z.optional(id) })

const toView = (version: VersionRow) => ({
  id: version.id,
  label: version.label,
  automatic: version.is_automatic,
  createdBy: version.created_by,
  createdAt: version.created_at,
})

/** Below `/documents`. */
export const createDocumentVersionRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { versions } = deps
  const routes = new Hono<HttpEnv>()

  /** Throws `access/not-found`; `access/forbidden` where `needs` is more than one may. */
  const open = async (c: HttpContext, needs: 'read' | 'write'): Promise<Grant> => {
    const { kind, name } = targetOf(c.req.param('kind') as string, c.req.param('id') as string, c.req.param('part'))
    if (kind.name !== 'document')
      throw new AppError('operation/unknown', `documents of kind ${kind.name} have no versions`)
    const grant = await deps.access.openFor(await actorOf(deps, c), name)
    if (needs === 'write' && (grant.readOnly || !can(grant.role, 'write')))
      throw new AppError('access/forbidden', 'versions are made by those who may write here')
    return grant
  }

  const versionIn = (c: HttpContext): string => {
    const versionId = c.req.param('versionId') as string
    if (!isId(versionId)) throw new AppError('record/not-found', 'no such version')
    return versionId
  }

  for (const base of ['/:kind/:id', '/:kind/:id/:part'] as const) {
    routes.post(`${base}/versions`, async (c) => {
      const { name, userId } = await open(c, 'write')
      const { row, created } = await versions.create(name, { ...(await readBody(c, versionBody)), userId })
      return success(c, toView(row), created ? 201 : 200)
    })

    routes.get(`${base}/versions`, async (c) => {
      const { name } = await open(c, 'read')
      const { before } = parseInput(listQuery, c.req.query())
      return success(c, { versions: (await versions.list(name, before)).map(toView) })
    })

    routes.get(`${base}/versions/:versionId`, async (c) => {
      const { name } = await open(c, 'read')
      const { format } = parseInput(formatQuery, c.req.query())
      const { content, ...version } = await versions.read(name, versionIn(c), format)
      return success(c, { ...toView(version), ...content })
    })

    routes.post(`${base}/versions/:versionId/restore`, async (c) => {
      const { name, userId } = await open(c, 'write')
      const { restored, saved } = await versions.restore(name, versionIn(c), userId)
      return success(c, { restored: toView(restored), saved: toView(saved) })
    })
  }
  return routes
}

const VERSION = 'version-0000000001'

/** The versions of a channel's document, or of the long text of a record. */
const versionsOf = (document: string, at: Readonly<Record<string, string>>): RouteRow[] => {
  const path = `/api/v1/documents/document/${document}/versions`
  const one = { ...at, versionId: VERSION }
  const common = { tag: 'document', at }
  return [
    { ...common, method: 'GET', path, summary: 'The versions of a document, newest first.', query: listQuery },
    {
      ...common,
      method: 'POST',
      path,
      summary: 'Names the present state of a document.',
      body: versionBody,
      example: { label: 'Before the meeting' },
      status: 201,
    },
    { ...common, at: one, method: 'GET', path: `${path}/{versionId}`, summary: 'One version.', query: formatQuery },
    {
      ...common,
      at: one,
      method: 'POST',
      path: `${path}/{versionId}/restore`,
      summary: 'Makes a document what it was in a version; the state before is kept as a version too.',
    },
  ]
}

export const VERSION_ROWS: readonly RouteRow[] = [
  ...versionsOf('{id}', { id: exampleChannel('document') }),
  ...versionsOf('{id}/{part}', { id: exampleChannel('document'), part: 'record-0000000001' }),
]
