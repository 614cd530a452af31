// What a scenario is: one measured run against one freshly started server, giving named numbers.
import type { Peer } from '../peers/peer.ts'

export type Metrics = Readonly<Record<string, number>>

export interface RunContext {
  readonly peer: Peer
  /** An empty directory on a real disk, this run's own. */
  readonly directory: string
  /** A smoke run: the shortest that still gives numbers. */
  readonly quick: boolean
  /** Where to write a CPU profile of the measured window; undefined: no profile. */
  readonly profilePath: string | undefined
}

export interface Scenario {
  readonly name: string
  /** Server kinds that cannot take part. */
  readonly without: readonly Peer['kind'][]
  readonly run: (context: RunContext) => Promise<Metrics>
}
