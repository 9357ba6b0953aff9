import { isIPv4, isIPv6 } from 'node:net'

const dnsName =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

/** A DNS name in lower case or an IP address; a last label of digits only is an address (RFC 3696). */
export function isAddress(text: string): boolean {
  return isIpAddress(text) || (dnsName.test(text) && !/(^|\.)[0-9]+$/.test(text))
}

export const isIpAddress = (text: string): boolean => isIPv4(text) || isUnzonedIpv6(text)

/** Without a zone, which means something on one machine only. */
const isUnzonedIpv6 = (text: string) => isIPv6(text) && !text.includes('%')

/** 127.0.0.0/8 or ::1. */
export function isLoopback(text: string): boolean {
  return isIPv4(text) ? text.startsWith('127.') : canonicalAddress(text) === '[::1]'
}

/** One spelling for each address, to compare: IPv6 has many. */
export function canonicalAddress(text: string): string {
  return isUnzonedIpv6(text) ? new URL(`http://[${text}]`).hostname : text
}
