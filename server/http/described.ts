// Every route that is written by hand, as the API's description shows it.
import { AUTH_ROWS } from './auth.ts'
import { CHANNEL_ROWS } from './channels.ts'
import { VERSION_ROWS } from './document-versions.ts'
import { DIRECT_ROWS } from './direct.ts'
import { GROUP_ROWS } from './groups.ts'
import { INVITE_ROWS } from './invites.ts'
import { MEMBER_ROWS } from './members.ts'
import type { RouteRow } from './route-row.ts'
import { SHARE_ROWS } from './shares.ts'
import { USER_ROWS } from './users.ts'

const BARE = { tag: 'server', isPublic: true, contentType: 'application/json' } as const

const SERVER_ROWS: readonly RouteRow[] = [
  { ...BARE, method: 'GET', path: '/health', summary: 'Whether the server is up.' },
  { ...BARE, method: 'GET', path: '/health/database', summary: 'Whether the database answers; 503 when it does not.' },
  { ...BARE, method: 'GET', path: '/openapi.json', summary: 'This description.' },
  { ...BARE, method: 'GET', path: '/docs', summary: 'This description as a page.', contentType: 'text/html' },
  {
    ...BARE,
    method: 'GET',
    path: '/docs/openapi-explorer.min.js',
    summary: 'The script of that page.',
    contentType: 'text/javascript',
  },
]

export const ROUTE_ROWS: readonly RouteRow[] = [
  ...AUTH_ROWS,
  ...USER_ROWS,
  ...GROUP_ROWS,
  ...MEMBER_ROWS,
  ...INVITE_ROWS,
  ...DIRECT_ROWS,
  ...CHANNEL_ROWS,
  ...VERSION_ROWS,
  ...SHARE_ROWS,
  ...SERVER_ROWS,
]
