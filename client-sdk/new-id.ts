// Ids for what is made on this device: UUID version 7 (RFC 9562, section 5.7), which sort by time. Our own dozen of lines,
// because the package that the server uses for it would be a twentieth of what this SDK adds to an app.
const HEX = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/

export const newId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const view = new DataView(bytes.buffer)
  const now = Date.now()
  view.setUint16(0, now / 2 ** 32)
  view.setUint32(2, now)
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f))
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f))
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(HEX, '$1-$2-$3-$4-$5')
}
