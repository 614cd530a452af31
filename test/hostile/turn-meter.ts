// Loaded into the attacked server before its own code: prints, once a second, the most CPU that the main thread used
// between two turns of a short timer. That is how long the event loop was held; what else the machine did is not in it.
const TICK_MS = 2
const REPORT_MS = 1_000

const usedMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

let last = usedMs()
let longest = 0

setInterval(() => {
  const now = usedMs()
  longest = Math.max(longest, now - last)
  last = now
}, TICK_MS).unref()

setInterval(() => {
  process.stderr.write(`turn ${longest.toFixed(1)}\n`)
  longest = 0
}, REPORT_MS).unref()
