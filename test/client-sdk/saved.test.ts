// When an edit is said to be on the device: once it is written, whatever is edited meanwhile.
import { expect, test } from 'vitest'
import { createClient } from '../../client-sdk/client.ts'
import { createMemoryDisk } from '../../client-sdk/offline/memory.ts'
import type { Disk } from '../../client-sdk/offline/store.ts'

test('[SY9] an edit is on the device when it is written, though others are made faster than the disk writes', async () => {
  const memory = createMemoryDisk()
  let edit = (): void => {}
  const disk: Disk = {
    ...memory,
    open: async (area) => {
      const store = await memory.open(area)
      return {
        ...store,
        write: async (batch) => {
          const numbers = await store.write(batch)
          // Somebody goes on typing: when a write is done the next edit waits already.
          if (batch.append?.length) edit()
          return numbers
        },
      }
    },
  }
  await using client = await createClient({ url: 'http://127.0.0.1:9', offline: true, storage: { disk } })
  const list = await client.tasks('channel-001')
  let made = 0
  edit = () => {
    made++
    if (made < 100) list.add({ title: `task ${made}` })
  }
  list.add({ title: 'task 0' })
  await list.saved()
  expect(made).toBeLessThan(5)
})
