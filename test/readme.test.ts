// The README, as a stranger would use it: its examples run as they stand against a real server, its table is the
// schema's, and its promises name real scripts.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseConfig, renderSettingsTable } from '../server/config.ts'
import { createLogger } from '../server/log.ts'
import { type RunningServer, startServer } from '../server/start.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] as string)

let folder: string
let server: RunningServer
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncline-readme-'))
  server = await startServer(parseConfig({ PORT: '0', DATA_DIR: folder }), createLogger({ level: 'error' }))
  env = { ...process.env, SYNCLINE_URL: server.url }
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('[RM1] the JavaScript example runs as it stands', async () => {
  const [example] = blocks('js')
  const file = join(ROOT, 'node_modules', `.readme-example-${process.pid}.mjs`)
  await writeFile(file, example as string)
  try {
    const { stdout } = await run(process.execPath, [file], { env, timeout: 90_000 })
    expect(stdout).toBe('both read: Hello Ada!\n')
  } finally {
    await rm(file)
  }
})

test('[RM1] the command-line example runs as it stands', async () => {
  const example = blocks('sh').find((block) => block.includes('curl')) as string
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', example], { env, cwd: ROOT, timeout: 90_000 })
  expect(JSON.parse(stdout)).toMatchObject({ success: true, data: { type: 'DOC', name: 'Minutes' } })
})

test('[RM2] the settings table is the one of the schema', () => {
  const table = /<!-- settings -->\n(.*?)<!-- \/settings -->/s.exec(readme)?.[1]
  expect(table?.trim()).toBe(renderSettingsTable().trim())
})

test('[RM3] every script the README names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const named = [...readme.matchAll(/(?:^|`|&& )npm (?:run )?([a-z][a-z:]*)/gm)].map((match) => match[1] as string)
  const unknown = named.filter((name) => !(name in scripts) && name !== 'ci')
  expect(unknown).toEqual([])
})
