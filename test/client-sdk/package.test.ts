// The package as others get it: what is in it, what it imports, that its types hold and that it runs, in Node, built by
// Vite, and in a browser.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build, type Rollup } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CORE_BYTES_MAX, measure } from '../bench/sdk-size.ts'
import { startHarness } from '../browser/harness.ts'
import { startServerProcess } from '../compat/servers.ts'
import { type ConsumerProject, createConsumer } from './consumer/project.ts'

/** Compilers, servers and browsers are started, on a machine that may have more to do. */
const MS_MAX = 300_000

let project: ConsumerProject

beforeAll(async () => {
  project = await createConsumer()
}, MS_MAX)

afterAll(() => project[Symbol.asyncDispose]())

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))

const STATIC = /^(?:import|export)\s(?:[^'"]*?\sfrom\s+)?["']([^"']+)["']/gm
const DYNAMIC = /import\(["']([^"']+)["']\)/g

const importsOf = (file: string, pattern: RegExp): string[] =>
  [...readFileSync(join(project.packageFolder, 'dist', file), 'utf8').matchAll(pattern)].map(
    (match) => match[1] as string,
  )

/** Packages that an entry loads at once, by way of its own files. */
const packagesLoadedBy = (entry: string): Set<string> => {
  const files = new Set([entry])
  const packages = new Set<string>()
  // A set is walked up to what was added last.
  for (const file of files)
    for (const name of importsOf(file, STATIC)) {
      if (name.startsWith('./')) files.add(name.slice(2))
      else packages.add(name)
    }
  return packages
}

const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

test('[PK1] it holds what is built, the README and nothing else, and every export is there with its types', () => {
  const files = filesIn(project.packageFolder)
  expect(files.filter((file) => !/^(dist\/[A-Za-z-]+\d*\.(js|d\.ts)|README\.md|package\.json)$/.test(file))).toEqual([])
  const { exports } = project.manifest
  expect(Object.keys(exports)).toEqual(['.', './react', './search'])
  const missing = Object.values(exports)
    .flatMap((conditions) => Object.values(conditions))
    .filter((path) => !existsSync(join(project.packageFolder, path)))
  expect(missing).toEqual([])
  for (const conditions of Object.values(exports)) expect(Object.keys(conditions)[0]).toBe('types')
})

test('[PK2] it imports its own files and its dependencies; nothing of Node’s, and nothing that the server is made of', () => {
  const declared = new Set([...Object.keys(project.manifest.dependencies), 'react'])
  const wrong: string[] = []
  let seen = 0
  for (const file of filesIn(join(project.packageFolder, 'dist'))) {
    for (const name of [...importsOf(file, STATIC), ...importsOf(file, DYNAMIC)]) {
      seen++
      const isOwn = name.startsWith('./') && name.endsWith('.js')
      if (!isOwn && !declared.has(packageOf(name))) wrong.push(`${file} → ${name}`)
    }
  }
  expect(wrong).toEqual([])
  expect(seen).toBeGreaterThan(20)
})

test('[PK3] an app loads only what it imports: formats, search, React and the disks of other platforms come when they are asked for', () => {
  const late = [
    'better-sqlite3',
    'htmlparser2',
    'minisearch',
    'prosemirror-markdown',
    'prosemirror-model',
    'react',
    'zod',
  ]
  expect(late.filter((name) => packagesLoadedBy('index.js').has(name))).toEqual([])
  expect(packagesLoadedBy('index.js')).toContain('yjs')
  expect([...packagesLoadedBy('react.js')]).toEqual(['react'])
  expect([...packagesLoadedBy('search.js')]).toEqual(['minisearch'])
})

const bundle = async (entry: string): Promise<readonly Rollup.OutputChunk[]> => {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: project.folder,
    build: { write: false, rollupOptions: { input: join(project.folder, entry), preserveEntrySignatures: 'strict' } },
  })
  const outputs = (Array.isArray(built) ? built : [built]) as Rollup.RollupOutput[]
  return outputs.flatMap(({ output }) => output.filter((file) => file.type === 'chunk'))
}

test('[PK4] what an app does not use is not in its bundle', async () => {
  expect(project.manifest.sideEffects).toBe(false)
  await project.write('small.ts', `import { AppError } from '@syncline/client'\nconsole.log(AppError)\n`)
  const [chunk, ...others] = await bundle('small.ts')
  expect(others).toEqual([])
  expect(chunk?.code.length).toBeLessThan(1_000)
})

test.each([
  ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
])(
  '[PK5] its types hold under %s, for strict apps, and refuse what is wrong',
  async (_name, options) => {
    const files = ['shopping.ts', 'widgets.ts', 'node.ts', 'page.ts']
    expect(await project.typecheck(files, options)).toBe('')
  },
  MS_MAX,
)

const PLAYED = {
  titles: ['milk, done'],
  status: { local: true, stored: true, pending: 0, refused: 0 },
  refusal: 'input/invalid',
  minutes: { json: { type: 'doc' } },
}

test(
  '[PK6] an app runs on Node',
  async () => {
    await using server = await startServerProcess()
    const printed = await project.node('node.ts', [server.url, 'node_person'])
    expect(JSON.parse(printed)).toMatchObject(PLAYED)
  },
  MS_MAX,
)

test(
  '[PK7] an app built by Vite runs in Chromium',
  async () => {
    await using server = await startServerProcess()
    await using harness = await startHarness({ server: server.url, minify: true })
    await using page = await harness.openPage<{ play: (username: string) => unknown }>(
      relative(join(import.meta.dirname, '..', 'browser'), join(project.folder, 'page.ts')),
    )
    expect(await page.call('play', 'page_person')).toMatchObject(PLAYED)
  },
  MS_MAX,
)

test('[PK8] the core with Yjs is at most 60 KB, minified and gzipped', async () => {
  const { bytes, groups } = await measure(join(project.packageFolder, 'dist', 'index.js'))
  process.stdout.write(`package: the core is ${(bytes / 1_000).toFixed(1)} KB\n`)
  expect(groups.map(({ name }) => name)).toContain('yjs')
  expect(bytes).toBeLessThanOrEqual(CORE_BYTES_MAX)
})
