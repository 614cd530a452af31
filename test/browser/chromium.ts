// Debian's Chromium: found, or installed where that is one command away.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const CHROMIUM = '/usr/bin/chromium'
const INSTALL = 'apt-get update && apt-get install -y chromium'

const canInstall = (): boolean => process.getuid?.() === 0 && existsSync('/etc/debian_version')

/** The path of the browser's program. */
export const mustChromium = async (): Promise<string> => {
  if (!existsSync(CHROMIUM) && canInstall()) await promisify(execFile)('sh', ['-c', INSTALL])
  if (!existsSync(CHROMIUM)) throw new Error(`The browser tests need Chromium at ${CHROMIUM}: ${INSTALL}`)
  return CHROMIUM
}
