// Heap per idle document: stores 1,000 documents of 1 KB, then loads them in a fresh process and looks at its heap.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { HeapReport } from '../peers/heap.ts'
import type { Metrics, RunContext, Scenario } from './scenario.ts'

const DOCUMENTS = 1_000

const run = async ({ peer, directory, quick }: RunContext): Promise<Metrics> => {
  const heap = async (mode: 'fill' | 'measure'): Promise<string> => {
    const count = String(quick ? DOCUMENTS / 5 : DOCUMENTS)
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', peer.heapScript, mode, directory, count],
      { timeout: 60_000 },
    )
    return stdout.trim().split('\n').at(-1) ?? ''
  }
  await heap('fill')
  const { heapBytes, rssBytes, heapBytesEmpty } = JSON.parse(await heap('measure')) as HeapReport
  return { heapBytes, rssBytes, heapBytesEmpty }
}

export const HEAP: Scenario = { name: 'heap', without: [], run }
