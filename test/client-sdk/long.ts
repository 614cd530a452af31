// The full length of the SDK's longest tests: `npm run test:stored` (500 runs), `test:tabs` (200 sessions) and `test:epochs`
// (10,000 histories).
import { spawnSync } from 'node:child_process'
import { ROOT } from '../helpers/processes.ts'

const LONG: Readonly<Record<string, { readonly file: string; readonly env: Readonly<Record<string, string>> }>> = {
  stored: { file: 'test/client-sdk/stored.test.ts', env: { STORED_RUNS: '500' } },
  epochs: { file: 'test/client-sdk/epoch-histories.test.ts', env: { EPOCH_RUNS: '10000' } },
  tabs: { file: 'test/browser/killed-tabs.test.ts', env: { KILLED_SESSIONS: '200' } },
}

const long = LONG[process.argv[2] ?? '']
if (!long) throw new Error(`say which: ${Object.keys(LONG).join(', ')}`)
const { status } = spawnSync('npx', ['vitest', 'run', long.file, '--project', 'suite'], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, ...long.env },
})
process.exitCode = status ?? 1
