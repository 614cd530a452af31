// The column types that differ between the databases; migrations ask for them by purpose.
import type { ColumnDataType, Expression } from 'kysely'

export interface ColumnTypes {
  /** 64-bit whole numbers: times, counters. */
  readonly integer: ColumnDataType
  /** A whole number that the database counts up by itself. */
  readonly serial: ColumnDataType
  readonly bytes: ColumnDataType
  /** Text that sorts by its code points, whatever the database's language: what begins alike stands together. */
  readonly sorted: ColumnDataType | Expression<unknown>
}
