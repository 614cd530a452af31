// Who may import whom (design section 2), held as facts about every import in the tree.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
/** Lowest first; the SDK joins when there is one. */
const FOLDERS = ['shared', 'storage', 'server', 'client-sdk', 'test'].filter((folder) => existsSync(join(ROOT, folder)))

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    // What is built of them is not the tree.
    .filter((name) => name.endsWith('.ts') && !name.startsWith('dist/'))
    .map((name) => join(folder, name)),
)

interface Import {
  readonly from: string
  /** A path in the repository, or a package name. */
  readonly to: string
}

const IMPORT = /^(?:import|export)\s[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\.meta\.resolve\('([^']+)'\)/gm

const imports: Import[] = files.flatMap((from) => {
  const source = readFileSync(join(ROOT, from), 'utf8')
  return [...source.matchAll(IMPORT)].map((match) => {
    const target = (match[1] ?? match[2] ?? match[3]) as string
    const to = target.startsWith('.') ? relative(ROOT, join(ROOT, dirname(from), target)) : target
    return { from, to }
  })
})

const isIn = (path: string, folder: string): boolean => path.startsWith(`${folder}/`)
const isPackage = (to: string, name: string): boolean => to === name || to.startsWith(`${name}/`)
const show = ({ from, to }: Import): string => `${from} → ${to}`

/** Packages that shared may import besides yjs and zod, and where: pure all of them. */
const PURE: [name: string, place: string][] = [
  ['fractional-indexing', 'shared/order.ts'],
  ['lib0', 'shared/apply-state.ts'],
  ['lib0', 'shared/encode-structs.ts'],
  ['prosemirror-model', 'shared/document/'],
  ['prosemirror-markdown', 'shared/document/'],
  ['htmlparser2', 'shared/document/'],
]

test('[AR1] shared is pure: yjs, zod and a few pure libraries, each in its place; no node modules, clock, randomness', () => {
  const isAllowed = ({ from, to }: Import): boolean =>
    ['yjs', 'zod'].some((name) => isPackage(to, name)) ||
    PURE.some(([name, place]) => isPackage(to, name) && from.startsWith(place))
  const foreign = imports.filter(
    (found) => isIn(found.from, 'shared') && !isIn(found.to, 'shared') && !isAllowed(found),
  )
  const impure = files.filter(
    (file) =>
      isIn(file, 'shared') &&
      /Date\.now|Math\.random|randomUUID|setTimeout|performance\.now|process\./.test(
        readFileSync(join(ROOT, file), 'utf8'),
      ),
  )
  expect([...foreign.map(show), ...impure]).toEqual([])
})

test('[AR2] layers import downwards only', () => {
  const allowed: Record<string, readonly string[]> = {
    shared: ['shared'],
    storage: ['shared', 'storage'],
    server: ['shared', 'storage', 'server'],
    'client-sdk': ['shared', 'client-sdk'],
    test: FOLDERS,
  }
  const wrong = imports.filter(({ from, to }) => {
    const layer = from.split('/')[0] as string
    const target = FOLDERS.find((folder) => isIn(to, folder))
    return target !== undefined && !allowed[layer]?.includes(target)
  })
  expect(wrong.map(show)).toEqual([])
})

/** Packages that may be imported from these places only. */
const FENCED: [name: string, ...places: string[]][] = [
  ['hono', 'server/http/'],
  ['@hono/node-server', 'server/http/'],
  ['@hocuspocus/server', 'server/sync/'],
  ['@hocuspocus/extension-database', 'server/sync/'],
  ['ws', 'server/sync/'],
  ['better-sqlite3', 'storage/dialects/', 'client-sdk/offline/sqlite.ts'],
  ['idb', 'client-sdk/offline/indexeddb.ts'],
  ['minisearch', 'client-sdk/search.ts'],
  ['react', 'client-sdk/react/'],
  ['pg', 'storage/dialects/'],
  ['lucia', 'server/auth/sessions.ts'],
  ['@node-rs/argon2', 'server/auth/password.ts'],
  ['jose', 'server/auth/access-token.ts'],
  ['rate-limiter-flexible', 'server/http/rate-limits.ts'],
]

test.each(FENCED)('[AR3] %s stays in its place', (name, ...places) => {
  const inside = imports.filter(({ from, to }) => !isIn(from, 'test') && isPackage(to, name))
  expect(inside.filter(({ from }) => !places.some((place) => from.startsWith(place))).map(show)).toEqual([])
  expect(inside, `nobody imports ${name}`).not.toEqual([])
})

test('[AR4] no import goes in a circle', () => {
  const next = Map.groupBy(imports, ({ from }) => from)
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    else if (!done.has(file))
      for (const { to } of next.get(file) ?? []) if (files.includes(to)) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  expect(circles).toEqual([])
})

/** Each is a process of its own. */
const PROGRAMS = new Set(['server/main.ts', 'server/audit-verify.ts'])

test('[AR5] only programs read the environment, and every file says what it is for in at most 300 lines', () => {
  const product = files.filter((file) => !isIn(file, 'test'))
  const readers = product.filter(
    (file) =>
      !PROGRAMS.has(file) && /process\.env/.test(readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\/.*/g, '')),
  )
  const long = files.filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 301)
  const silent = files.filter((file) => !readFileSync(join(ROOT, file), 'utf8').startsWith('// '))
  expect({ readers, long, silent }).toEqual({ readers: [], long: [], silent: [] })
})
