// docs/api.md, as a stranger would use it: its commands run as they stand against a real server, and answer what stands
// under them.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { parseConfig } from '../../server/config.ts'
import { type Facade, FACADES } from '../../server/http/facades.ts'
import { createLogger } from '../../server/log.ts'
import { startServer } from '../../server/start.ts'
import { ROOT } from '../helpers/processes.ts'

const run = promisify(execFile)
const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8')

/** Each block of commands with the answer that stands under it. */
const examples = [...page.matchAll(/^```sh\n(.*?)^```\n\n^```json\n(.*?)^```/gms)].map((match) => ({
  commands: match[1] as string,
  answer: JSON.parse(match[2] as string) as object,
}))

test('[OA6] the commands of docs/api.md answer what stands under them', { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'syncline-api-docs-'))
  const server = await startServer(parseConfig({ PORT: '0', DATA_DIR: folder }), createLogger({ level: 'error' }))
  try {
    expect(examples.length).toBe([...page.matchAll(/^```sh$/gm)].length)
    const mark = '=== next ==='
    const script = examples.map(({ commands }) => commands).join(`\nprintf '\\n${mark}\\n'\n`)
    const env = { ...process.env, SYNCLINE_URL: server.url }
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { env, cwd: ROOT, timeout: 240_000 })
    const answers = stdout.split(mark).map((text) => JSON.parse(text) as unknown)
    expect(answers).toMatchObject(examples.map(({ answer }) => answer))
  } finally {
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
})

const does = (facade: Facade): string => {
  if ('operation' in facade) return `\`${facade.operation}\``
  return 'view' in facade ? facade.view.summary : facade.summary
}

test('[FA5] the table of routes in docs/api.md is the one that the server has', () => {
  const rows = FACADES.map((facade) => `| \`${facade.method} ${facade.path}\` | \`${facade.kind}\` | ${does(facade)} |`)
  const table = ['| Route | Kind | Operation, or what is read |', '|---|---|---|', ...rows].join('\n')
  const written = /<!-- facades -->\n(.*?)<!-- \/facades -->/s.exec(page)?.[1]
  expect(written?.trim()).toBe(table)
})
