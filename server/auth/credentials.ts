// What a user name, an e-mail and a new password may look like: the schemas that every way into an account shares.
import { z } from 'zod'
import { id } from '../../shared/inputs.ts'
import {
  EMAIL_LENGTH_MAX,
  PASSWORD_LENGTH_MAX,
  PASSWORD_LENGTH_MIN,
  USERNAME_LENGTH_MAX,
  USERNAME_LENGTH_MIN,
} from '../../shared/limits.ts'
import { VISITOR_PREFIX } from '../share-links.ts'

/** One spelling for what looks alike: full-width letters, capitals. */
export const normalise = (text: string): string => text.normalize('NFKC').toLowerCase()

const USERNAME = new RegExp(`^[a-z0-9_]{${USERNAME_LENGTH_MIN},${USERNAME_LENGTH_MAX}}$`)
export const isUsername = (text: string): boolean => USERNAME.test(text)

/** Names that would speak for the server, or that links and mentions need. */
const RESERVED = new Set(
  (
    'admin administrator api everyone guest help here me mod moderator null official operator owner root security ' +
    'server staff support sync syncline system team undefined webmaster'
  ).split(' '),
)

/** The most common passwords of published leaks that are long enough to be chosen here. */
const COMMON = new Set(
  (
    '12345678 123456789 1234567890 0123456789 123123123 111111111 11111111 00000000 88888888 87654321 987654321 ' +
    '12341234 11223344 112233445566 147258369 123456789a a123456789 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx qwertyui ' +
    'qwertyuiop qwerty123 qwerty12 qwerty1234 asdfghjk asdfghjkl zxcvbnm1 q1w2e3r4 abcd1234 abc12345 abc123456 ' +
    'abcdefgh aa123456 password password1 password12 password123 passw0rd p@ssw0rd p@ssword iloveyou iloveyou1 ' +
    'sunshine princess football baseball superman batman123 starwars trustno1 welcome1 welcome123 letmein1 ' +
    'charlie1 michelle jennifer computer internet whatever dragon123 monkey123 shadow123 master123 changeme ' +
    'admin123 administrator letmein123 test1234 testtest secret123 google123 pokemon1 liverpool chocolate samsung1'
  ).split(' '),
)

/** No account may be taken for a visitor who came by a link, or for one of the server's own clients. */
const SERVERS_OWN = [VISITOR_PREFIX, 'rehearsal']

export const accountId = id.check(
  z.refine((text) => !SERVERS_OWN.some((prefix) => text.startsWith(prefix)), 'ids that begin so are the server’s own'),
)

/** Generous before normalising, which may shorten or lengthen; the exact bound comes after. */
const RAW_LENGTH_MAX = 1_024

export const username = z
  .string()
  .max(RAW_LENGTH_MAX)
  .transform(normalise)
  .pipe(
    z
      .string()
      .regex(USERNAME, `expected ${USERNAME_LENGTH_MIN} to ${USERNAME_LENGTH_MAX} of a-z 0-9 _`)
      .refine((name) => !RESERVED.has(name), 'this name is reserved'),
  )

export const email = z.string().max(RAW_LENGTH_MAX).transform(normalise).pipe(z.email().max(EMAIL_LENGTH_MAX))

/** Length and commonness only: rules about kinds of characters make passwords worse. Never trimmed, never cut. */
export const newPassword = z
  .string()
  .min(PASSWORD_LENGTH_MIN)
  .max(PASSWORD_LENGTH_MAX)
  .refine((password) => !COMMON.has(password.toLowerCase()), 'this is one of the most common passwords')

/** A password that is only compared: too long a one cannot be anybody's, but must not cost time either. */
export const anyPassword = z.string().max(PASSWORD_LENGTH_MAX)
