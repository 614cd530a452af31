// How the tests run, and the one plain line that a test run ends with.
import { defineConfig } from 'vitest/config'
import type { Reporter, TestModule } from 'vitest/node'

const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length
    const broken = modules.filter((module) => module.errors().length > 0).length
    process.stdout.write(`\n${count('passed')} passed, ${count('failed') + broken} failed\n`)
  },
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: [],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two at a time: several suites start servers and databases of their own.
    maxWorkers: 2,
    reporters: ['default', closingLine],
  },
})
