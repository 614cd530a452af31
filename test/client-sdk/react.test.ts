// The hooks in Chromium, over a real client, and on a server that renders to text.
import { relative, join } from 'node:path'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createClient } from '../../client-sdk/index.ts'
import { SynclineProvider, useClient, useDocument, useStatus } from '../../client-sdk/react/hooks.ts'
import { type Harness, startHarness, type TestPage } from '../browser/harness.ts'
import { type ServerProcess, startServerProcess } from '../compat/servers.ts'
import { eventually } from '../helpers/eventually.ts'
import type { ReactPage } from './consumer/react-page.ts'

const ENTRY = relative(
  join(import.meta.dirname, '..', 'browser'),
  join(import.meta.dirname, 'consumer', 'react-page.ts'),
)

let server: ServerProcess
let harness: Harness
let page: TestPage<ReactPage>

beforeAll(async () => {
  server = await startServerProcess()
  // What a boundary catches, React logs.
  harness = await startHarness({ server: server.url, expected: [/document\/bad-name/, /above error occurred/] })
  page = await harness.openPage<ReactPage>(ENTRY)
})

afterAll(async () => {
  await harness[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

beforeEach(() => page.call('begin', true))

const shows = (text: string): Promise<string> =>
  eventually(
    () => page.call('text'),
    (shown) => shown === text,
    { what: `page that says ${text}` },
  )

test('[RS1] a component shows a document, and renders again when it changes and only then', async () => {
  await page.call('show', 'handle')
  await shows('milk')
  expect((await page.call('counts')).renders).toBe(1)
  const bread = await page.call('add', 'bread')
  await shows('milk, bread')
  expect((await page.call('counts')).renders).toBe(2)
  // Neither another document, nor the status, nor the same title again changes what is shown.
  await page.call('addElsewhere')
  await page.call('rename', bread, 'bread')
  await page.call('rename', bread, 'rolls')
  await shows('milk, rolls')
  expect((await page.call('counts')).renders).toBe(3)
})

test('[RS2] a promise of a document shows nothing until it has come, and what it was rejected with to a boundary', async () => {
  await page.call('show', 'promise')
  expect(await page.call('text')).toMatch(/^(opening)?$|milk/)
  await shows('milk')
  await page.call('hide')
  await page.call('show', 'rejected')
  await shows('failed: document/bad-name')
})

test('[RS3] what a component opens is closed with it, another is opened when it asks for another, a failure is shown', async () => {
  await page.call('show', 'opened')
  await shows('milk')
  await page.call('show', 'opened, another')
  await shows('')
  expect(await page.call('counts')).toMatchObject({ opened: 2, closed: 1 })
  await page.call('hide')
  await eventually(
    () => page.call('counts'),
    ({ closed }) => closed === 2,
  )
  await page.call('show', 'failing')
  await shows('failed: document/bad-name')
})

test('[RS4] in strict mode everything is opened twice and closed once, and works', async () => {
  await page.call('show', 'editable', true)
  await shows('milk true 1 offline true')
  expect(await page.call('counts')).toMatchObject({ opened: 2, closed: 1 })
  await page.call('click')
  await shows('milk, clicked true 2 offline true')
  await page.call('hide')
  await eventually(
    () => page.call('counts'),
    ({ closed }) => closed === 2,
  )
})

test('[RS5] the status of a document and of the client is shown as it changes', async () => {
  await page.call('begin', false)
  await page.call('show', 'editable')
  await page.call('register', 'shown_person')
  await eventually(
    () => page.call('text'),
    (text) => text.endsWith(' live false'),
  )
})

test('[RS6] when somebody else uses the client, a component shows what is theirs', async () => {
  await page.call('begin', false)
  await page.call('register', 'leaving_person')
  await page.call('show', 'opened')
  await shows('milk')
  await page.call('logout')
  await shows('')
})

test('[RS7] who is in a group is shown, oneself too', async () => {
  await page.call('begin', false)
  await page.call('register', 'present_person')
  await page.call('people')
  await shows('nobody')
  await page.call('click')
  await shows('me away')
})

test('[RS8] a server renders what its client holds', async () => {
  const client = await createClient({ url: 'http://127.0.0.1:9', storage: 'memory', offline: true })
  const list = await client.tasks('0123456789')
  list.add({ title: 'milk' })
  await list.saved()
  const Titles = (): string =>
    `${useDocument(list)
      .tasks.map(({ title }) => title)
      .join()}; ${useStatus(list).local}; ${useStatus()}; ${useDocument(client.tasks('9876543210')) === undefined}`
  const page = createElement(SynclineProvider, { client }, createElement(Titles))
  expect(renderToString(page)).toBe('milk; true; offline; true')
  await client.close()
})

test('[RS9] without a provider the hooks say so', () => {
  const Lost = (): string => useClient().user.id
  expect(() => renderToString(createElement(Lost))).toThrow('SynclineProvider')
})

test('[RS18] a component shows groups and channels, and renders again when the lists say something else', async () => {
  await page.call('show', 'lists')
  await shows('none')
  await page.call('register', 'lists_of_hers')
  await page.call('makeGroup')
  await shows('Home, Shopping')
  const { renders } = await page.call('counts')
  // What the lists do not show changes nothing.
  await page.call('addElsewhere')
  expect((await page.call('counts')).renders).toBe(renders)
  await page.call('logout')
  await shows('none')
  await page.call('makeGroup')
  await shows('Home?, Shopping?')
})
