// The spec and the tests, compared in both directions: a rule that no test cites is a wish, a citation without a rule is
// a mistake.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const spec = readFileSync(join(import.meta.dirname, '..', 'docs', 'spec.md'), 'utf8')
const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  .join('\n')

const idsIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map((match) => match[1] as string)

test('[SP1] every rule is cited by a test, and every cited rule exists', () => {
  const rules = idsIn(spec, /^- \*\*([A-Z]{2}\d+)\*\* /gm)
  const cited = idsIn(sources, /['"`]\[([A-Z]{2}\d+)\]/g)
  expect(rules.length).toBeGreaterThan(50)
  expect([...new Set(rules).symmetricDifference(new Set(cited))]).toEqual([])
})

test('[SP2] no rule has the number of another', () => {
  const rules = idsIn(spec, /^- \*\*([A-Z]{2}\d+)\*\* /gm)
  expect(rules.filter((rule, index) => rules.indexOf(rule) !== index)).toEqual([])
})
