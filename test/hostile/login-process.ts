// Somebody who logs in while a server is attacked, in a process of its own. Prints how long each login took, in ms:
// `login 48.1`. Arguments: address of the server, name of a user of the test accounts.
import { login } from '../helpers/accounts.ts'

const PAUSE_MS = 100
const [url, username] = process.argv.slice(2) as [string, string]

for (;;) {
  const since = performance.now()
  await login(url, { username })
  process.stdout.write(`login ${(performance.now() - since).toFixed(1)}\n`)
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}
