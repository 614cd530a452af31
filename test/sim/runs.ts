// Many simulated runs, one after the other, with a failure that says how to repeat it.
import type { Kind } from '../../shared/kind.ts'
import type { Ruled } from '../../shared/operation.ts'
import { KINDS } from '../../shared/registry.ts'
import { type Counts, simulate } from './simulation.ts'

const STEPS_SHOWN = 30

/** Kinds of records: editors' documents have no rule, and nothing here to be tried. */
export const isSimulated = (kind: Kind): kind is Kind & Ruled => kind.operations.length > 0 && kind.rule !== undefined

/** Runs each seed; the error of a failing one names it and shows its last steps. */
export const simulateAll = (kind: Kind & Ruled, seeds: readonly number[], counts: Counts): void => {
  for (const seed of seeds) {
    try {
      simulate(kind, seed, counts)
    } catch (cause) {
      const steps: string[] = []
      try {
        simulate(kind, seed, {}, (line) => void steps.push(line))
      } catch {
        // The same failure again; this time its steps are known.
      }
      const shown = steps.slice(-STEPS_SHOWN).join('\n')
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`SIM=${kind.name}:${seed} (repeat with this variable): ${reason}\n${shown}`, { cause })
    }
  }
}

/** `kind:seed` */
export const simulateOne = (run: string, log?: (line: string) => void): void => {
  const [name, seed] = run.split(':')
  const kind = KINDS.get(name ?? '')
  if (!kind || !isSimulated(kind)) throw new Error(`no simulated kind in ${run}`)
  simulate(kind, Number(seed), {}, log)
}
