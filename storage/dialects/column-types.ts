// The column types that differ between the databases; migrations ask for them by purpose.
import type { ColumnDataType } from 'kysely'

export interface ColumnTypes {
  /** 64-bit whole numbers: times, counters. */
  readonly integer: ColumnDataType
  readonly bytes: ColumnDataType
}
