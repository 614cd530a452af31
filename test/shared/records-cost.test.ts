// What a long list costs the device that opens it; `node test/bench/records.ts` measures the time too.
import { expect, test } from 'vitest'
import { encodeTasks, HEAP_BYTES_MAX, measureCold } from '../bench/records.ts'

test('[RE11] 10,000 tasks with 1,000 edits stay within 15 MiB of heap', () => {
  const { loadMs, readMs, heapBytes } = measureCold(encodeTasks())
  process.stdout.write(`10,000 tasks: ${Math.round(loadMs + readMs)} ms, ${Math.round(heapBytes / 1024)} KiB of heap\n`)
  expect(heapBytes).toBeGreaterThan(HEAP_BYTES_MAX / 5)
  expect(heapBytes).toBeLessThan(HEAP_BYTES_MAX)
})
