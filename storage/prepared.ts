// Reads that every opening of a document makes: compiled once per database, because Kysely's compiling takes longer than
// SQLite's answer.
import type { CompiledQuery, Kysely } from 'kysely'
import type { Database } from './schema.ts'

/**
 * Makes a function that runs the query `build` describes. `build` is given values only to mark their places; the
 * parameters of a run take those places in the order in which they stand in the SQL.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- reason: names and types the places for callers
export const prepared = <Parameters extends readonly unknown[], Row>(
  build: (db: Kysely<Database>) => { compile: () => CompiledQuery<Row> },
) => {
  const compiled = new WeakMap<Kysely<Database>, CompiledQuery<Row>>()
  return async (db: Kysely<Database>, ...parameters: Parameters): Promise<Row[]> => {
    let query = compiled.get(db)
    if (!query) compiled.set(db, (query = build(db).compile()))
    const { rows } = await db.executeQuery<Row>({ ...query, parameters })
    return rows
  }
}
