// What the package weighs in a browser: the core with everything that it imports statically, bundled and minified by Vite,
// then gzip at level 9; what the other entries add, and what is loaded on demand. Fails when the core is above its bar.
// `node test/bench/sdk-size.ts [dist]`
import { join, relative, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, minifySync, type Rollup } from 'vite'

const ROOT = join(import.meta.dirname, '..', '..')
const DIST = join(ROOT, 'client-sdk', 'dist')
/** The bar of the core: 60 KB, the smaller ones. */
export const CORE_BYTES_MAX = 60_000
const GROUPS_SHOWN = 30
/** The same as what is built, file by file. */
const SOURCE = join(ROOT, 'client-sdk', 'index.ts')

export interface Group {
  /** A package, or a module of the SDK's own. */
  readonly name: string
  readonly bytes: number
}

export interface Size {
  /** Minified and gzipped. */
  readonly bytes: number
  readonly minifiedBytes: number
  /** What is loaded on demand, once for each chunk. */
  readonly lazy: readonly Group[]
  /** Minified bytes before compression, the heaviest first: packages, and files of the SDK. */
  readonly groups: readonly Group[]
}

const gzipped = (code: string): number => gzipSync(code, { level: 9 }).byteLength

const groupOf = (id: string): string => {
  const name = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(id)?.[1]
  return name ?? (id.startsWith('\0') ? 'bundler' : relative(ROOT, id))
}

const bundle = async (entry: string): Promise<readonly Rollup.OutputChunk[]> => {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: ROOT,
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      minify: true,
      modulePreload: false,
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict', external: /^react/ },
    },
  })
  const outputs = (Array.isArray(built) ? built : [built]) as Rollup.RollupOutput[]
  return outputs.flatMap(({ output }) => output.filter((file) => file.type === 'chunk'))
}

/** The chunks that are loaded with the entry. */
const loadedWith = (chunks: readonly Rollup.OutputChunk[]): ReadonlySet<Rollup.OutputChunk> => {
  const loaded = new Set(chunks.filter(({ isEntry }) => isEntry))
  // A set is walked up to what was added last.
  for (const { imports } of loaded) for (const chunk of chunks) if (imports.includes(chunk.fileName)) loaded.add(chunk)
  return loaded
}

export const measure = async (entry: string): Promise<Size> => {
  const chunks = await bundle(entry)
  const loaded = loadedWith(chunks)
  const groups = new Map<string, number>()
  for (const [id, { code }] of [...loaded].flatMap(({ modules }) => Object.entries(modules))) {
    const bytes = minifySync('module.js', code ?? '').code.length
    groups.set(groupOf(id), (groups.get(groupOf(id)) ?? 0) + bytes)
  }
  const sum = (sizeOf: (code: string) => number): number =>
    [...loaded].reduce((total, { code }) => total + sizeOf(code), 0)
  return {
    bytes: sum(gzipped),
    minifiedBytes: sum((code) => code.length),
    lazy: chunks.filter((chunk) => !loaded.has(chunk)).map(({ name, code }) => ({ name, bytes: gzipped(code) })),
    groups: [...groups].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes),
  }
}

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} KB`

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const main = async (dist: string): Promise<void> => {
  const core = await measure(join(dist, 'index.js'))
  print(`core, minified and gzipped: ${kilobytes(core.bytes)} of ${kilobytes(CORE_BYTES_MAX)} at most`)
  print(`  minified: ${kilobytes(core.minifiedBytes)}`)
  const { groups } = await measure(SOURCE)
  for (const { name, bytes } of groups.slice(0, GROUPS_SHOWN)) print(`    ${name}: ${kilobytes(bytes)}`)
  for (const { name, bytes } of core.lazy) print(`  loaded when it is asked for, gzipped: ${name} ${kilobytes(bytes)}`)
  for (const name of ['react', 'search']) {
    const { bytes } = await measure(join(dist, `${name}.js`))
    print(`${name}, alone: ${kilobytes(bytes)}`)
  }
  if (core.bytes > CORE_BYTES_MAX) {
    process.stderr.write(`the core is ${core.bytes - CORE_BYTES_MAX} bytes too big\n`)
    process.exitCode = 1
  }
}

if (import.meta.main) await main(resolve(process.argv[2] ?? DIST))
