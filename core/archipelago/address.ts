import { z } from 'zod'

const dnsName =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

/** A DNS name in lower case or an IP address; a last label of digits only is an address (RFC 3696). */
export function isAddress(text: string): boolean {
  return isIp(text) || (dnsName.test(text) && !/(^|\.)[0-9]+$/.test(text))
}

const isIp = (text: string) => z.ipv4().safeParse(text).success || isIpv6(text)
const isIpv6 = (text: string) => z.ipv6().safeParse(text).success

/** 127.0.0.0/8 or ::1. */
export function isLoopback(text: string): boolean {
  if (isIpv6(text)) return canonicalAddress(text) === '[::1]'
  return z.ipv4().safeParse(text).success && text.startsWith('127.')
}

/** One spelling for each address, to compare: IPv6 has many. */
export function canonicalAddress(text: string): string {
  return isIpv6(text) ? new URL(`http://[${text}]`).hostname : text
}
