// The routes of share links: an admin of the group makes one for a document, lists them, ends them. Whoever has the
// secret opens that document with it as if it were an access token: reading as `guest`, writing as `member`.
import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { z } from 'zod'
import { can } from '../../shared/access.ts'
import { AppError } from '../../shared/errors.ts'
import { SHARE_MS_MAX } from '../../shared/limits.ts'
import { documentName } from '../../shared/names.ts'
import { deleteShare, findShare, insertShare, listShares, type ShareRow } from '../../storage/shares.ts'
import type { AccessClaims } from '../auth/access-token.ts'
import { hashToken } from '../auth/opaque-token.ts'
import { newShareSecret, shareClaims } from '../share-links.ts'
import { actorOf, type AppDependencies, type HttpContext, type HttpEnv } from './context.ts'
import { success } from './envelope.ts'
import { exampleChannel, type RouteRow } from './route-row.ts'
import { readBody } from './validate.ts'

const KIND = 'document'
const ID_BYTES = 16

const shareBody = z.strictObject({
  role: z.enum(['guest', 'member']).default('guest'),
  /** Milliseconds from now; null: until it is ended. */
  expiresIn: z.int().min(1_000).max(SHARE_MS_MAX).nullish(),
})

const noSuchLink = (): AppError => new AppError('access/not-found', 'no such link')

const toView = ({ id: shareId, document, role, created_by, created_at, expires_at }: ShareRow) => ({
  id: shareId,
  document,
  role,
  createdBy: created_by,
  createdAt: created_at,
  expiresAt: expires_at,
})

/** Below `/documents/document` for links of a document. */
export const createShareRoutes = (deps: AppDependencies): Hono<HttpEnv> => {
  const { access, audit, changes, now, storage } = deps
  const { db } = storage
  const routes = new Hono<HttpEnv>()

  /** Throws `access/not-found` for who may not read the document, `access/forbidden` for who may not share it. */
  const mustShare = async (claims: AccessClaims, name: string): Promise<void> => {
    const { role } = await access.openFor(claims, name)
    if (!can(role, 'manage')) throw new AppError('access/forbidden', 'only admins of the group share its documents')
  }
  const nameIn = (c: HttpContext): string => documentName(KIND, c.req.param('id') as string, c.req.param('part'))

  const list = async (c: HttpContext): Promise<Response> => {
    const name = nameIn(c)
    await mustShare(await actorOf(deps, c), name)
    return success(c, (await listShares(db, name, now())).map(toView))
  }
  const create = async (c: HttpContext): Promise<Response> => {
    const document = nameIn(c)
    const claims = await actorOf(deps, c)
    await mustShare(claims, document)
    const { role, expiresIn } = await readBody(c, shareBody)
    const secret = newShareSecret()
    const row: ShareRow = {
      id: randomBytes(ID_BYTES).toString('base64url'),
      secret_hash: hashToken(secret),
      channel_id: c.req.param('id') as string,
      document,
      role,
      created_by: claims.userId,
      created_at: now(),
      expires_at: expiresIn ? now() + expiresIn : null,
    }
    await db.transaction().execute(async (trx) => {
      await insertShare(trx, row)
      await audit.add(trx, {
        actor: claims.userId,
        action: 'share.created',
        target: row.id,
        details: { document, role },
      })
    })
    // The only time that the secret is shown.
    return success(c, { ...toView(row), token: secret }, 201)
  }

  for (const path of ['/:id/shares', '/:id/:part/shares']) {
    routes.get(path, list)
    routes.post(path, create)
  }

  routes.delete('/shares/:share', async (c) => {
    const claims = await actorOf(deps, c)
    const share = await findShare(db, c.req.param('share'), now())
    if (!share) throw noSuchLink()
    // Somebody who may not read the document learns no more of the link than that there is none.
    await mustShare(claims, share.document).catch((error: unknown) => {
      throw error instanceof AppError && error.code === 'access/not-found' ? noSuchLink() : error
    })
    await db.transaction().execute(async (trx) => {
      await deleteShare(trx, share.id)
      await audit.add(trx, { actor: claims.userId, action: 'share.ended', target: share.id })
    })
    await changes.rights([shareClaims(share.id).userId])
    return c.body(null, 204)
  })

  return routes
}

const sharesOf = (path: string, at: Readonly<Record<string, string>>): RouteRow[] => [
  { method: 'GET', path: `${path}/shares`, tag: 'document', summary: 'The links to a document, newest first.', at },
  {
    method: 'POST',
    path: `${path}/shares`,
    tag: 'document',
    summary: 'Makes a link to a document. Its `token` opens the document like an access token, and is shown once.',
    body: shareBody,
    example: { role: 'guest', expiresIn: 86_400_000 },
    status: 201,
    at,
  },
]

const BASE = '/api/v1/documents/document'
const channel = { id: exampleChannel('document') }

export const SHARE_ROWS: readonly RouteRow[] = [
  ...sharesOf(`${BASE}/{id}`, channel),
  ...sharesOf(`${BASE}/{id}/{part}`, { ...channel, part: 'record-0000000001' }),
  {
    method: 'DELETE',
    path: `${BASE}/shares/{share}`,
    tag: 'document',
    summary: 'Ends a link: who has the document open by it loses it at once.',
    at: { share: 'share-000000000000001' },
    status: 204,
  },
]
