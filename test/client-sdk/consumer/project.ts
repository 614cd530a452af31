// A project that uses the package as others get it: built, packed by npm, unpacked, its dependencies beside it. Nothing is
// fetched.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { NODE } from '../../helpers/processes.ts'

export const ROOT = join(import.meta.dirname, '..', '..', '..')
const SDK = join(ROOT, 'client-sdk')
const FILES = join(import.meta.dirname, 'files')
const run = promisify(execFile)

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly sideEffects: boolean
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

export interface ConsumerProject extends AsyncDisposable {
  readonly folder: string
  /** The unpacked package. */
  readonly packageFolder: string
  readonly manifest: Manifest
  /** Writes a file of the project and returns its path. */
  readonly write: (name: string, text: string) => Promise<string>
  /** Runs a program of the project on Node; resolves with what it printed. */
  readonly node: (file: string, args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>
  /** What `tsc` complains of in these files; empty when all is well. */
  readonly typecheck: (files: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<string>
}

/** What an app has besides the package's own dependencies. */
const BESIDE = ['react', 'react-dom', '@types/react', '@types/react-dom', '@types/node']
const NODE_MS_MAX = 240_000

const build = async (folder: string): Promise<void> => {
  const tsdown = join(ROOT, 'node_modules', 'tsdown', 'dist', 'run.mjs')
  const args = ['-c', join(SDK, 'tsdown.config.ts'), '--out-dir', join(folder, 'dist'), '--logLevel', 'error']
  await run(NODE, [tsdown, ...args], { cwd: ROOT })
  for (const name of ['package.json', 'README.md']) await cp(join(SDK, name), join(folder, name))
}

const unpack = async (stage: string, folder: string, into: string): Promise<void> => {
  const args = ['pack', '--ignore-scripts', '--offline', '--json', '--pack-destination', folder]
  const { stdout } = await run('npm', args, { cwd: stage })
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>)
  await mkdir(into, { recursive: true })
  await run('tar', ['-xzf', join(folder, packed?.filename ?? ''), '--strip-components=1', '-C', into])
}

const link = async (names: readonly string[], modules: string): Promise<void> => {
  for (const name of names) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(ROOT, 'node_modules', name), join(modules, name), 'dir')
  }
}

/** The strictest that an app may be; libraries are checked too. */
const STRICT = {
  target: 'es2022',
  lib: ['es2023', 'dom', 'esnext.disposable'],
  types: ['node'],
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  allowImportingTsExtensions: true,
  verbatimModuleSyntax: true,
}

export const createConsumer = async (): Promise<ConsumerProject> => {
  await using owned = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'syncline-consumer-'))
  owned.defer(() => rm(folder, { recursive: true, force: true }))
  const modules = join(folder, 'node_modules')
  const packageFolder = join(modules, '@syncline', 'client')
  const stage = join(folder, 'stage')
  await build(stage)
  await unpack(stage, folder, packageFolder)
  await rm(stage, { recursive: true })
  const manifest = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as Manifest
  await link([...Object.keys(manifest.dependencies), ...BESIDE], modules)
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  await write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  for (const name of await readdir(FILES))
    await write(name.replace(/\.txt$/, ''), await readFile(join(FILES, name), 'utf8'))
  const kept = owned.move()
  return {
    folder,
    packageFolder,
    manifest,
    write,
    node: async (file, args, env = {}) => {
      const options = { cwd: folder, env: { ...process.env, ...env }, timeout: NODE_MS_MAX }
      return (await run(NODE, [file, ...args], options)).stdout
    },
    typecheck: async (files, options) => {
      const config = { compilerOptions: { ...STRICT, ...options }, files }
      const name = await write(`tsconfig.${files.length}.json`, JSON.stringify(config))
      const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
      const failed = (error: { readonly stdout?: string; readonly message: string }): { stdout: string } => ({
        stdout: error.stdout || error.message,
      })
      return (await run(NODE, [tsc, '-p', name, '--pretty', 'false'], { cwd: folder }).catch(failed)).stdout
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
