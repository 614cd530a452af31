// `npm run test:fuzz`: fifty thousand requests, or REQUESTS of them, from SEED or a fresh one.
import { chooseSeed } from '../helpers/random.ts'
import { fuzz } from './fuzz.ts'

const requests = Number(process.env['REQUESTS'] ?? 50_000)
const seed = chooseSeed()
process.stdout.write(`fuzzing: ${requests} requests, SEED=${seed}\n`)
const { faults, ...counts } = await fuzz(requests, seed)
process.stdout.write(`${JSON.stringify({ ...counts, reachedShare: counts.reached / counts.requests })}\n`)
for (const fault of faults.slice(0, 20)) process.stdout.write(`${fault}\n\n`)
process.stdout.write(`${faults.length} faults\n`)
process.exitCode = faults.length > 0 || counts.reached < 0.8 * counts.requests ? 1 : 0
