import { setTimeout as delay } from 'node:timers/promises'
import type { Credential } from './request-credential.ts'

export interface KeepExchanged {
  /** With whatever token there is by now. */
  readonly exchange: () => Promise<Credential>
  readonly onCredential: (credential: Credential) => void
  readonly onFailure: (reason: Error, retryMs: number) => void
  readonly signal: AbortSignal
}

const retryMsMin = 1_000
const retryMsMax = 60_000

/** Exchanges again at half of what is left to each credential, and sooner after a failure; until aborted. */
export async function keepExchanged(first: Credential, keep: KeepExchanged): Promise<void> {
  const { exchange, onCredential, onFailure, signal } = keep
  let waitMs = halfLifeMs(first)
  let retryMs = retryMsMin
  while (await waited(waitMs, signal)) {
    try {
      const credential = await exchange()
      onCredential(credential)
      waitMs = halfLifeMs(credential)
      retryMs = retryMsMin
    } catch (error) {
      waitMs = retryMs * (0.5 + Math.random() / 2)
      retryMs = Math.min(2 * retryMs, retryMsMax)
      onFailure(error as Error, waitMs)
    }
  }
}

/** A token that was not replaced in time gives less each time: never at once, or it would not end. */
function halfLifeMs({ creds }: Credential): number {
  const leftMs = (creds.user.claims.exp ?? 0) * 1000 - Date.now()
  return Math.max(leftMs / 2, retryMsMin)
}

/** False when it was aborted meanwhile. */
function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal }).catch(() => false)
}
