// Waiting for facts: asks until the answer passes, and fails with the last answer seen. Never for time.

const SHOWN_LENGTH_MAX = 400
const ASK_EVERY_MS = 5

export interface Waiting {
  readonly msMax?: number
  /** What `msMax` is counted by; own time where it is a bound that is to be proved (own-time.ts). */
  readonly now?: () => number
  /** What the failure says was waited for. */
  readonly what?: string
}

const show = (value: unknown): string => {
  const text = value instanceof Error ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}… (${text.length} characters)`
}

/** Resolves with the first answer that passes. An `ask` that throws has not passed yet. */
export const eventually = async <Answer>(
  ask: () => Answer | Promise<Answer>,
  passes: (answer: Answer) => boolean,
  // No time of day: that may be set meanwhile.
  { msMax = 60_000, now = () => performance.now(), what = 'the expected answer' }: Waiting = {},
): Promise<Answer> => {
  const deadline = now() + msMax
  for (;;) {
    let last: unknown
    try {
      const answer = await ask()
      if (passes(answer)) return answer
      last = answer
    } catch (error) {
      last = error
    }
    if (now() > deadline) throw new Error(`no ${what} within ${msMax} ms; the last answer was ${show(last)}`)
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

/** Lets everything happen that is ready to: sockets are read, timers that are due run. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
