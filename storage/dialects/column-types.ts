// The column types that differ between the databases; migrations ask for them by purpose.
import type { ColumnDataType } from 'kysely'

export interface ColumnTypes {
  /** 64-bit whole numbers: times, counters. */
  readonly integer: ColumnDataType
  /** A whole number that the database counts up by itself. */
  readonly serial: ColumnDataType
  readonly bytes: ColumnDataType
}
