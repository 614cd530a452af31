// What a person is found by: their user name, and their name from each of its words on, all in one spelling.
import { SEARCH_TERM_LENGTH_MAX, SEARCH_TERMS_MAX } from '../shared/limits.ts'

/** One spelling for what looks alike: full-width letters, capitals, spaces. Cut between characters, not inside one. */
export const foldName = (text: string): string => {
  const folded = text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim()
  return Array.from(folded).slice(0, SEARCH_TERM_LENGTH_MAX).join('')
}

export const searchTerms = (user: { readonly username: string; readonly name: string }): string[] => {
  const name = foldName(user.name)
  const words = [...name.matchAll(/[\p{L}\p{N}]+/gu)].map(({ index }) => name.slice(index))
  return [...new Set([foldName(user.username), name, ...words])].slice(0, SEARCH_TERMS_MAX)
}
