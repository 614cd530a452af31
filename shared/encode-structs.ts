// Writes structs as a Yjs update (version 1), as Yjs would if they were all of one client in a row.
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

/** What is deleted, by client. */
export type Deletes = ReadonlyMap<number, readonly { readonly clock: number; readonly length: number }[]>

/** `structs` are of `client`, and each begins where the one before it ends. */
export const encodeStructs = (client: number, structs: readonly Y.Item[], deletes: Deletes): Uint8Array => {
  const encoder = new Y.UpdateEncoderV1()
  const rest = encoder.restEncoder
  const first = structs[0]
  encoding.writeVarUint(rest, first ? 1 : 0)
  if (first) {
    encoding.writeVarUint(rest, structs.length)
    encoder.writeClient(client)
    encoding.writeVarUint(rest, first.id.clock)
    for (const struct of structs) struct.write(encoder, 0)
  }
  encoding.writeVarUint(rest, deletes.size)
  for (const [of, ranges] of deletes) {
    encoding.writeVarUint(rest, of)
    encoding.writeVarUint(rest, ranges.length)
    for (const { clock, length } of ranges.toSorted((a, b) => a.clock - b.clock)) {
      encoding.writeVarUint(rest, clock)
      encoding.writeVarUint(rest, length)
    }
  }
  return encoder.toUint8Array()
}
