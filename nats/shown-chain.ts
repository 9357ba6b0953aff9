import type { DetailedPeerCertificate } from 'node:tls'

/** In DER: the leaf, and each followed by its issuer, as far as they were sent. */
export function shownChain(leaf: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = []
  let next: DetailedPeerCertificate | undefined = leaf
  // A root is its own issuer.
  while (next?.raw !== undefined && !chain.some((der) => der.equals(next?.raw as Buffer))) {
    chain.push(next.raw)
    next = next.issuerCertificate
  }
  return chain
}
