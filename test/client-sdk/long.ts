// `npm run test:stored` and `npm run test:tabs`: the full length of the SDK's two longest tests, 500 runs and 200 sessions.
import { spawnSync } from 'node:child_process'
import { ROOT } from '../helpers/processes.ts'

const LONG: Readonly<Record<string, { readonly file: string; readonly env: Readonly<Record<string, string>> }>> = {
  stored: { file: 'test/client-sdk/stored.test.ts', env: { STORED_RUNS: '500' } },
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
