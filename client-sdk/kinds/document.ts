// The handle of a rich text.
import { CORE_DOCUMENT_KIND } from '../../shared/document/core-kind.ts'
import type { Replica } from '../replica.ts'

/** Rich text: editors bind to `doc`; a whole text in another format is taken over as the smallest change. */
export interface DocumentMethods {
  /** Loads the formats when it is first called. Throws `input/invalid`. */
  readonly replace: (
    content: { readonly markdown: string } | { readonly html: string } | { readonly json: unknown },
  ) => Promise<void>
}

export const KIND = CORE_DOCUMENT_KIND

export const methods = (replica: Replica): DocumentMethods => ({
  replace: async (content) => {
    const { replace } = await import('../../shared/document/replace.ts')
    replica.run(replace, content)
  },
})
