// Log lines: one JSON object each, an event name and fields. What looks like a secret is cut out here, so that no caller
// has to remember it.

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type LogFields = Readonly<Record<string, unknown>>
type Log = (event: string, fields?: LogFields) => void

export interface Logger {
  readonly debug: Log
  readonly info: Log
  readonly warn: Log
  readonly error: Log
  /** A logger that adds `fields` to each of its lines. */
  readonly child: (fields: LogFields) => Logger
}

const SECRET_NAME = /token|password|secret|pepper|authorization|cookie/i
const REDACTED = '[redacted]'
/** Tokens inside longer texts: in a query, after `Bearer`, or by the look of a JWT; and passwords in URLs. */
const SECRETS_IN_TEXT: readonly [RegExp, string][] = [
  [/([?&](?:access_|refresh_)?token=)[^&\s"']+/gi, `$1${REDACTED}`],
  [/(bearer\s+)[\w.~+/=-]+/gi, `$1${REDACTED}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, REDACTED],
  [/(\w:\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${REDACTED}@`],
]

const redactText = (text: string): string => {
  let redacted = text
  for (const [pattern, by] of SECRETS_IN_TEXT) redacted = redacted.replace(pattern, by)
  return redacted
}

/** Errors have no enumerable fields, so JSON would show nothing of them. */
const plainError = (error: Error): Record<string, unknown> => ({
  name: error.name,
  message: error.message,
  code: 'code' in error ? error.code : undefined,
  stack: error.stack,
  cause: error.cause,
})

const replacer = (name: string, value: unknown): unknown => {
  if (value instanceof Error) return plainError(value)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') return value
  return SECRET_NAME.test(name) ? REDACTED : redactText(value)
}

const toLine = (fields: LogFields): string => {
  try {
    return JSON.stringify(fields, replacer)
  } catch {
    // A circular value must not turn a log line into a failure of what it reports.
    return JSON.stringify({
      time: fields['time'],
      level: fields['level'],
      event: fields['event'],
      fields: 'unreadable',
    })
  }
}

export interface LogOptions {
  readonly level: LogLevel
  readonly write?: (line: string) => void
  readonly now?: () => number
}

export const createLogger = ({
  level,
  write = (line) => process.stderr.write(line),
  now = Date.now,
}: LogOptions): Logger => {
  const withFields = (bound: LogFields): Logger => {
    const at = (lineLevel: LogLevel): Log => {
      if (LOG_LEVELS.indexOf(lineLevel) < LOG_LEVELS.indexOf(level)) return () => {}
      return (event, fields) =>
        write(`${toLine({ time: new Date(now()).toISOString(), level: lineLevel, event, ...bound, ...fields })}\n`)
    }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => withFields({ ...bound, ...fields }),
    }
  }
  return withFields({})
}
