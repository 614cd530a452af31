// What a person shows, and to whom (requirement 4.3).
import * as z from 'zod/mini'
import { isPlainObject } from './json.ts'

/** `public`: everybody who has an account; `friends`: those who share a group; `private`: the user name alone. */
export const PROFILE_PRIVACY = ['public', 'friends', 'private'] as const
/** `group`: check-ins that are not private are on the walls of their groups; `private`: none is. */
export const SCORES_PRIVACY = ['group', 'private'] as const

export interface Privacy {
  readonly profile: (typeof PROFILE_PRIVACY)[number]
  readonly scores: (typeof SCORES_PRIVACY)[number]
}

export const DEFAULT_PRIVACY: Privacy = { profile: 'friends', scores: 'group' }

export const privacyInput = z.strictObject({
  profile: z.optional(z.enum(PROFILE_PRIVACY)),
  scores: z.optional(z.enum(SCORES_PRIVACY)),
})

/** As it is stored, with defaults for what was never set. */
export const readPrivacy = (stored: string): Privacy => {
  const value: unknown = JSON.parse(stored)
  const parsed = privacyInput.safeParse(isPlainObject(value) ? value : {})
  const { profile = DEFAULT_PRIVACY.profile, scores = DEFAULT_PRIVACY.scores } = parsed.data ?? {}
  return { profile, scores }
}
