// The package's documentation, held by tests: the quick start runs as it stands, every example has good types, and whatever
// an entry exports says what it is.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServerProcess } from '../compat/servers.ts'
import { type ConsumerProject, createConsumer, ROOT } from './consumer/project.ts'

const SDK = join(ROOT, 'client-sdk')
/** The sources of the entries, and the names under which apps import them. */
const ENTRIES = [
  ['index.ts', '@syncline/client'],
  ['react/hooks.ts', '@syncline/client/react'],
  ['search.ts', '@syncline/client/search'],
] as const

const readme = readFileSync(join(SDK, 'README.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] as string)

interface Exported {
  readonly name: string
  readonly isType: boolean
  /** Where it is declared. */
  readonly file: string
}

const DECLARED = /^export (?:declare )?(const|function|class|interface|type) (\w+)/gm
const RE_EXPORTED = /^export (type )?\{([^}]*)\} from '([^']+)'/gm

/** What a module exports, each by the file that declares it. */
const exportsOf = (file: string): Exported[] => {
  const source = readFileSync(file, 'utf8')
  const own = [...source.matchAll(DECLARED)].map(([, keyword, name]): Exported => {
    return { name: name as string, isType: keyword === 'interface' || keyword === 'type', file }
  })
  const others = [...source.matchAll(RE_EXPORTED)].flatMap(([, type, names, from]) => {
    const declared = exportsOf(join(dirname(file), from as string))
    return (names as string)
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name): Exported => {
        const found = declared.find((one) => one.name === name.replace(/^type /, ''))
        if (!found) throw new Error(`${file} exports ${name}, which ${from} does not`)
        const isType = found.isType || type !== undefined || name.startsWith('type ')
        return { name: found.name, file: found.file, isType }
      })
  })
  const local = [...source.matchAll(/^export type \{([^}]*)\}$/gm)].flatMap(([, names]) =>
    (names as string).split(',').map((name): Exported => {
      const from = new RegExp(`import [^;]*?\\b${name.trim()}\\b[^;]*? from '([^']+)'`, 's').exec(source)?.[1]
      return { name: name.trim(), isType: true, file: join(dirname(file), from ?? '') }
    }),
  )
  const unique = new Map([...own, ...others, ...local].map((one) => [one.name, one]))
  return [...unique.values()]
}

/** The comment that stands right before a declaration, the first where a function has several. */
const commentOf = ({ name, file }: Exported): string | undefined => {
  const declaration = `export (?:declare )?(?:const|function|class|interface|type) ${name}\\b`
  const pattern = new RegExp(`(/\\*\\*(?:(?!\\*/).)*\\*/)\\n${declaration}`, 's')
  return pattern.exec(readFileSync(file, 'utf8'))?.[1]
}

const ENTRY_EXPORTS = ENTRIES.map(([source, module]) => ({ module, exported: exportsOf(join(SDK, source)) }))
const all = ENTRY_EXPORTS.flatMap(({ exported }) => exported)

const linesOf = (comment: string): string[] =>
  comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))

/** The code of each `@example`, with or without a fence; it ends where the fence, the comment or the next tag does. */
const examplesOf = (comment: string): string[] =>
  linesOf(comment)
    .join('\n')
    .split('@example')
    .slice(1)
    .map((text) => {
      const code = /```\w*\n(.*?)```/s.exec(text)?.[1] ?? text
      return code.split(/^@\w+/m)[0] as string
    })

/** Compilers and servers are started, on a machine that may have more to do. */
const MS_MAX = 120_000

let project: ConsumerProject

beforeAll(async () => {
  project = await createConsumer()
}, MS_MAX)

afterAll(() => project[Symbol.asyncDispose]())

test(
  '[PK9] the quick start runs as it stands',
  async () => {
    await using server = await startServerProcess()
    const [quickStart] = blocks('js')
    await project.write('quick-start.mjs', quickStart as string)
    const printed = await project.node('quick-start.mjs', [], { SYNCLINE_URL: server.url })
    const said = /It prints (.*?)\.\n/s.exec(readme)?.[1] as string
    expect(printed.trim().split('\n')).toEqual([...said.matchAll(/`([^`]+)`/g)].map((match) => match[1]))
  },
  MS_MAX,
)

/** What examples may use without saying where it comes from. */
const GIVEN = `
declare const client: Client
declare const list: TasksHandle
declare const url: string, channelId: string, groupId: string
`

const importsOfAll = (): string =>
  ENTRY_EXPORTS.map(({ module, exported }) => {
    const names = exported.map(({ name, isType }) => `${isType ? 'type ' : ''}${name}`)
    return `import { ${names.join(', ')} } from '${module}'`
  }).join('\n')

test(
  '[PK10] the examples of the README and of every comment have good types',
  async () => {
    const commented = all.flatMap((exported) => examplesOf(commentOf(exported) ?? ''))
    const examples = [...blocks('ts'), ...commented]
    expect(examples.length).toBeGreaterThan(15)
    const functions = examples.map((code, index) => `export const example${index} = async () => {\n${code}\n}`)
    const react = `import { createElement } from 'react'`
    await project.write('examples.ts', [importsOfAll(), react, GIVEN, ...functions].join('\n'))
    const options = { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true }
    expect(await project.typecheck(['examples.ts'], options)).toBe('')
  },
  MS_MAX,
)

test('[PK11] everything that an entry exports says what it is', () => {
  expect(all.length).toBeGreaterThan(40)
  const silent = all
    .filter((exported) => !commentOf(exported))
    .map(({ name, file }) => `${name} in ${file.slice(SDK.length + 1)}`)
  expect(silent).toEqual([])
})
