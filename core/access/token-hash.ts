import { hash } from 'node:crypto'

/** SHA-256 in base64url. A token is a secret: what stands in for it may be seen. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'base64url')
}
