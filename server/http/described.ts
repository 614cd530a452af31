// What the API's description says of the routes that are written by hand: a row for each, with the very schema that the
// route checks its body with.
import type { z } from 'zod'
import type { Json } from '../../shared/json.ts'
import { loginBody, logoutBody, refreshBody, registerBody } from './auth.ts'
import { channelBody } from './channels.ts'
import { formatQuery, listQuery, versionBody } from './document-versions.ts'
import { groupBody, joinBody } from './groups.ts'

export interface Described {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the root; parts in braces are parameters. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly body?: z.ZodType
  readonly query?: z.ZodObject
  readonly example?: Json
  /** Values for the parameters of the path. */
  readonly at?: Readonly<Record<string, string>>
  /** 200 unless it says otherwise. */
  readonly status?: 201 | 204
  /** Needs no access token. */
  readonly isPublic?: true
  /** Answers something other than the envelope. */
  readonly contentType?: 'application/json' | 'text/html' | 'text/javascript'
}

const AUTH = { tag: 'accounts', isPublic: true } as const
const BARE = { tag: 'server', isPublic: true, contentType: 'application/json' } as const

/** Ids that the examples of the whole description use. */
export const EXAMPLE_USER = 'user-0000000001'
export const EXAMPLE_GROUP = 'group-0000000001'
/** The channel whose documents of `kind` the examples work on. */
export const exampleChannel = (kind: string): string => `${kind}-0000000001`

const password = 'a quiet violet kettle'
const refreshToken = 'the-refresh-token-of-the-last-answer'

const VERSION = 'version-0000000001'

/** The versions of a channel's document, or of the long text of a record. */
const versionsOf = (document: string, at: Readonly<Record<string, string>>): Described[] => {
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

export const DESCRIBED: readonly Described[] = [
  {
    ...AUTH,
    method: 'POST',
    path: '/api/v1/auth/register',
    summary: 'Makes an account and logs in. A repeat with the same id and password answers 200.',
    body: registerBody,
    example: { id: 'user-0000000002', username: 'ada', password, name: 'Ada' },
    status: 201,
  },
  {
    ...AUTH,
    method: 'POST',
    path: '/api/v1/auth/login',
    summary: 'Logs in by user name or e-mail.',
    body: loginBody,
    example: { identifier: 'ada', password },
  },
  {
    ...AUTH,
    method: 'POST',
    path: '/api/v1/auth/refresh',
    summary: 'Trades a refresh token for a new pair of tokens.',
    body: refreshBody,
    example: { refreshToken },
  },
  {
    ...AUTH,
    method: 'POST',
    path: '/api/v1/auth/logout',
    summary: 'Ends this login.',
    body: logoutBody,
    example: { refreshToken },
    status: 204,
  },
  {
    ...AUTH,
    method: 'POST',
    path: '/api/v1/auth/logout-all',
    summary: 'Ends every login of the user.',
    body: logoutBody,
    example: { refreshToken },
    status: 204,
  },
  { method: 'GET', path: '/api/v1/auth/me', tag: 'accounts', summary: 'Who am I.' },
  { method: 'GET', path: '/api/v1/auth/sessions', tag: 'accounts', summary: 'Where am I logged in.' },
  {
    method: 'DELETE',
    path: '/api/v1/auth/sessions/{id}',
    tag: 'accounts',
    summary: 'Ends one login.',
    at: { id: 'session-0000000001' },
    status: 204,
  },
  {
    method: 'POST',
    path: '/api/v1/groups',
    tag: 'groups',
    summary: 'Makes a group. A repeat with the same id answers 200.',
    body: groupBody,
    example: { name: 'Friday club', timezone: 'Europe/Berlin' },
    status: 201,
  },
  { method: 'GET', path: '/api/v1/groups', tag: 'groups', summary: 'My groups.' },
  { method: 'GET', path: '/api/v1/groups/{id}', tag: 'groups', summary: 'One group.', at: { id: EXAMPLE_GROUP } },
  {
    method: 'POST',
    path: '/api/v1/groups/join',
    tag: 'groups',
    summary: 'Joins a group by its access code.',
    body: joinBody,
    example: { accessCode: 'THE-CODE-00' },
  },
  {
    method: 'GET',
    path: '/api/v1/groups/{id}/channels',
    tag: 'channels',
    summary: 'The channels of a group.',
    at: { id: EXAMPLE_GROUP },
  },
  {
    method: 'POST',
    path: '/api/v1/groups/{id}/channels',
    tag: 'channels',
    summary: 'Makes a channel. A repeat with the same id answers 200.',
    body: channelBody,
    example: { type: 'DOC', name: 'Minutes' },
    at: { id: EXAMPLE_GROUP },
    status: 201,
  },
  {
    method: 'GET',
    path: '/api/v1/channels/{id}',
    tag: 'channels',
    summary: 'One channel, with the name of its document.',
    at: { id: exampleChannel('tasks') },
  },
  ...versionsOf('{id}', { id: exampleChannel('document') }),
  ...versionsOf('{id}/{part}', { id: exampleChannel('document'), part: 'record-0000000001' }),
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
