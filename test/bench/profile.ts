// Sums a CPU profile up: which functions had the processor, and which packages.
import { readFile } from 'node:fs/promises'

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

interface Profile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const TOP = 40

/** `package/file.js:line` for a dependency, the path from the checkout for ours. */
const placeOf = ({ url, lineNumber }: ProfileNode['callFrame']): string => {
  if (url === '') return 'native'
  const [, inPackage] = /.*\/node_modules\/(.*)$/.exec(url) ?? []
  const path = inPackage ?? url.replace(/^file:\/\/.*\/(?=(?:server|shared|storage|test)\/)/, '')
  return `${path}:${lineNumber + 1}`
}

const add = (totals: Map<string, number>, key: string, value: number): void => {
  totals.set(key, (totals.get(key) ?? 0) + value)
}

const render = (totals: ReadonlyMap<string, number>, whole: number): string =>
  [...totals]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([key, value]) => `${((value / whole) * 100).toFixed(1).padStart(5)} %  ${key}`)
    .join('\n')

/** Top self time by function, of the time the process was not idle. */
export const summariseProfile = async (path: string): Promise<string> => {
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(path, 'utf8')) as Profile
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const functions = new Map<string, number>()
  const files = new Map<string, number>()
  let idle = 0
  let busy = 0
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    const time = timeDeltas[index] ?? 0
    if (!frame) continue
    // The inspector's own work, starting and ending the profile, is not the server's.
    if (frame.functionName === '(idle)' || frame.url === 'node:inspector') {
      idle += time
      continue
    }
    busy += time
    const place = placeOf(frame)
    add(functions, `${frame.functionName || '(anonymous)'}  ${place}`, time)
    add(files, place === 'native' ? `native ${frame.functionName}` : place.replace(/:\d+$/, ''), time)
  }
  const share = ((busy / (busy + idle)) * 100).toFixed(0)
  return `busy ${share} %\n-- by function\n${render(functions, busy)}\n-- by file\n${render(files, busy)}\n`
}
