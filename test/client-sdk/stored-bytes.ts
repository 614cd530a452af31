// What is on the server's disk, read past the server: the journal and the snapshots of one document.
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'

export interface StoredBytes extends Disposable {
  /** Whether every one of these texts is in what is stored of the document. */
  readonly missing: (document: string, texts: readonly string[]) => readonly string[]
}

export const openStoredBytes = (folder: string): StoredBytes => {
  const database = new Sqlite(join(folder, 'syncline.sqlite'), { readonly: true })
  const rows = database
    .prepare(
      `select data from document_update where document_id = (select id from document where name = @name)
       union all select data from document_snapshot where document_id = (select id from document where name = @name)`,
    )
    .pluck()
  return {
    missing: (name, texts) => {
      const bytes = Buffer.concat(rows.all({ name }) as Buffer[])
      return texts.filter((text) => bytes.indexOf(text) < 0)
    },
    [Symbol.dispose]: () => void database.close(),
  }
}
