// The text of a document by REST, in the format that is asked for: what `document.replace` takes under the same name.
import { z } from 'zod'
import { FORMATS, readAs } from '../../shared/document/formats.ts'
import { KEY_BYTES_MAX } from '../../shared/limits.ts'
import { readDocument, targetOf } from './operate.ts'
import { defineView } from './view.ts'

export const DOCUMENT_TEXT = defineView({
  summary: 'The content of a document as JSON, Markdown or HTML.',
  query: z.strictObject({
    format: z.enum(FORMATS).default('json'),
    root: z
      .string()
      .min(1)
      .max(KEY_BYTES_MAX)
      .optional()
      .meta({ description: 'The root that holds it; found by itself when left out.' }),
  }),
  read: ({ deps, claims, id, part, query: { format, root } }) =>
    readDocument(deps, claims, targetOf('document', id, part), (doc) => readAs(doc, format, root)),
})
