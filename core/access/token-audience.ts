import { isNkey, type Nkey } from '../trust/nkey.ts'

/** What a token has to be for where its holder may choose: whoever else gets hold of it has another key. */
export function formatTokenAudience(network: string, nkey: Nkey<'user'>): string {
  return `${network}:nkey:${nkey}`
}

/** The nkey of a token's audience; undefined for an audience of any other kind, or of another network. */
export function nkeyOfAudience(network: string, audience: string): Nkey<'user'> | undefined {
  const prefix = `${network}:nkey:`
  const nkey = audience.slice(prefix.length)
  return audience.startsWith(prefix) && isNkey('user', nkey) ? nkey : undefined
}
