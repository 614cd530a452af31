// Network addresses as they are kept of a login: without what says nothing, and later without what names one machine.
import { isIPv4, isIPv6 } from 'node:net'

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const GROUPS = 8
/** Of an IPv6 address, 48 bits. */
const NETWORK_GROUPS = 3

/** Null for what is no address; an IPv4 address that came over an IPv6 socket as what it is. */
export const readAddress = (text: string | undefined): string | null => {
  const plain = text?.replace(/%.*$/, '') ?? ''
  const mapped = MAPPED.exec(plain)?.[1]
  if (mapped !== undefined) return mapped
  return isIPv4(plain) || isIPv6(plain) ? plain.toLowerCase() : null
}

/** The /24 of an IPv4 address and the /48 of an IPv6 address, as an address whose other bits are 0. */
export const networkOf = (address: string): string => {
  if (isIPv4(address)) return address.replace(/\d+$/, '0')
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: tail === undefined ? 0 : GROUPS - before.length - after.length }, () => '0')
  return `${[...before, ...zeros, ...after].slice(0, NETWORK_GROUPS).join(':')}::`
}
