import { isIPv6 } from 'node:net'

/**
 * By which requests over HTTP are counted: an IPv4 address, or the 64 bits of an IPv6 address that
 * one customer is given (RFC 6177).
 */
export function sourceOf(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  return isIPv6(address) ? `${prefixOf(address)}::/64` : address
}

function prefixOf(address: string): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}

/** An IPv4 address at the end stands for two groups, which are none of the first four. */
function groups(text: string): string[] {
  const parts = text === '' ? [] : text.split(':')
  return parts.flatMap((part) => (part.includes('.') ? ['0', '0'] : [part.toLowerCase()]))
}
