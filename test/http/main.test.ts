// The server as a process: what it prints, how it stops, and how it refuses to start.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { NODE, startProcess } from '../helpers/processes.ts'

const START_MS_MAX = 90_000

const openProcess = async (env: Record<string, string> = {}) => {
  await using owned = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'syncline-main-'))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  const child = owned.use(startProcess(NODE, ['server/main.ts'], { env: { DATA_DIR: folder, PORT: '0', ...env } }))
  const kept = owned.move()
  return { folder, child, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

test('[MA1] when it is ready it prints one line with its address, and a signal ends it with code 0', async () => {
  await using server = await openProcess()
  const [, url] = await server.child.waitFor(/^Syncline listening on (http:\/\/127\.0\.0\.1:\d+)$/m, START_MS_MAX)
  const health = await fetch(`${url}/health`)
  assert.deepEqual(await health.json(), { status: 'up' })
  assert.deepEqual(await server.child.kill('SIGTERM'), { code: 0, signal: null })
  const lines = server.child.output().trim().split('\n')
  assert.equal(lines.filter((line) => !line.startsWith('{')).length, 1)
  for (const line of lines.filter((one) => one.startsWith('{'))) JSON.parse(line)
})

test('[MA2] what was there before a restart is there after it', async () => {
  await using first = await openProcess()
  const ask = (url: string | undefined, path: string, body: object) =>
    fetch(`${url}/api/v1${path}`, { method: 'POST', body: JSON.stringify(body) })
  const ready = /listening on (\S+)/
  const [, url] = await first.child.waitFor(ready, START_MS_MAX)
  const registered = await ask(url, '/auth/register', { username: 'alice', password: 'correct horse battery' })
  assert.equal(registered.status, 201)
  const { data } = (await registered.json()) as { data: { refreshToken: string } }
  await first.child.kill('SIGINT')
  await using second = await openProcess({ DATA_DIR: first.folder })
  const [, again] = await second.child.waitFor(ready, START_MS_MAX)
  assert.equal((await ask(again, '/auth/refresh', { refreshToken: data.refreshToken })).status, 200)
  const login = { identifier: 'alice', password: 'correct horse battery' }
  assert.equal((await ask(again, '/auth/login', login)).status, 200)
  assert.ok(!second.child.output().includes(data.refreshToken))
})

test('[MA3] wrong settings end the start with code 1 and one message', async () => {
  await using server = await openProcess({ PORT: 'x', LOG_LEVEL: 'y', REDIS_URL: 'redis://cache' })
  assert.deepEqual(await server.child.exited, { code: 1, signal: null })
  const output = server.child.output()
  for (const name of ['PORT', 'LOG_LEVEL', 'REDIS_URL', 'SECRET_KEY'])
    assert.match(output, new RegExp(`^  ${name}: `, 'm'))
  assert.doesNotMatch(output, /^\s+at /m)
})

test('[MA4] a start that fails otherwise ends with code 1 and a log line that says why', async () => {
  await using folder = await openProcess()
  await writeFile(join(folder.folder, 'file'), '')
  await using server = await openProcess({ DATA_DIR: join(folder.folder, 'file', 'below') })
  assert.deepEqual(await server.child.exited, { code: 1, signal: null })
  const line = server.child.output().trim().split('\n').at(-1) ?? ''
  assert.deepEqual([JSON.parse(line).event, JSON.parse(line).error.code], ['server.failed', 'ENOTDIR'])
})
