import { createHash } from 'node:crypto'
import { Refusal } from '../core/errors.ts'
import { quote } from '../core/quote.ts'

/** In the form of npm and of the web: 'sha512-' and base64. */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Refuses bytes other than those that were pinned, wherever they come from. */
export function requirePinned(what: string, { is, pinned }: { is: string; pinned: string }): void {
  if (is === pinned) return
  const said = `other bytes than were pinned: ${quote(what)} is ${is}, and ${pinned} is pinned`
  throw new Refusal('ERR_IMAGE_PIN', said)
}
