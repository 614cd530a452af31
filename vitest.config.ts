// How the tests run, and the one plain line that a test run ends with.
import { defineConfig } from 'vitest/config'
import type { Reporter, TestModule } from 'vitest/node'
import { TOO_SLOW } from './test/hostile/in-time.ts'

const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length
    const broken = modules.filter((module) => module.errors().length > 0).length
    process.stdout.write(`\n${count('passed')} passed, ${count('failed') + broken} failed\n`)
  },
}

/** These measure time, of an attack or of tabs that take turns, and need the machine to themselves. */
const ALONE = ['test/hostile/**/*.test.ts', 'test/browser/tabs.test.ts']
/** Only against what never ends: a machine that does much else needs many seconds to start one server. */
const shared = { testTimeout: 120_000, hookTimeout: 180_000 }

export default defineConfig({
  test: {
    // Two at a time: several suites start servers and databases of their own.
    maxWorkers: 2,
    reporters: ['default', closingLine],
    projects: [
      {
        test: {
          ...shared,
          name: 'suite',
          include: ['test/**/*.test.ts'],
          exclude: ALONE,
          sequence: { groupOrder: 0 },
        },
      },
      // Afterwards and one at a time.
      {
        test: {
          ...shared,
          name: 'hostile',
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          // Slow phases of a machine last for a minute or two.
          retry: { count: 4, delay: 20_000, condition: new RegExp(`${TOO_SLOW}|timed out`) },
        },
      },
    ],
  },
})
