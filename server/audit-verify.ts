// `npm run audit:verify`: reads the audit log from its first entry to its anchor and says in one line whether it is whole.
// A program of its own, so that it can be run while the server runs, and where the server cannot.
import { openStorage } from '../storage/open.ts'
import { verifyAudit } from './audit.ts'
import { readAnchor } from './audit-anchor.ts'
import { parseConfig } from './config.ts'
import { openSecrets } from './secret.ts'

const verify = async (): Promise<string> => {
  const config = parseConfig(process.env)
  const { auditKey } = await openSecrets(config)
  await using storage = await openStorage(config.database)
  // Before the chain: an anchor read later could be ahead of what was read.
  const anchor = await readAnchor(config.dataDir, auditKey)
  const { entries, broken } = await verifyAudit(storage.db, auditKey, anchor)
  if (broken) throw new Error(`the audit log is broken at entry ${broken.seq}: ${broken.why}`)
  if (!anchor && entries > 0) throw new Error(`the audit log has ${entries} entries but no anchor in ${config.dataDir}`)
  return `the audit log is whole: ${entries} entries, anchored up to ${anchor?.seq ?? 0}`
}

try {
  process.stdout.write(`${await verify()}\n`)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
