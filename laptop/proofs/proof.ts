import { Refusal, type RefusalCode } from '../../core/errors.ts'

/** One thing that was tried on the running network, and what came of it. */
export interface Proof {
  readonly what: string
  readonly observed: string
  readonly isProven: boolean
  /** How long it took, where that is the point. */
  readonly tookMs?: number
}

/** A trial that fails is a row of the table, not the end of it. */
export async function prove(
  what: string,
  trial: () => Promise<Omit<Proof, 'what'>>,
): Promise<Proof> {
  try {
    return { what, ...(await trial()) }
  } catch (error) {
    return {
      what,
      observed: error instanceof Error ? error.message : String(error),
      isProven: false,
    }
  }
}

/** What has to be refused, and with this code. */
export async function refusedWith(
  code: RefusalCode,
  trial: () => Promise<unknown>,
): Promise<Omit<Proof, 'what'>> {
  try {
    await trial()
    return { observed: 'it was allowed', isProven: false }
  } catch (error) {
    const isProven = error instanceof Refusal && error.code === code
    const cause = error instanceof Refusal && error.code === 'ERR_CONNECT' ? error.cause : error
    return { observed: cause instanceof Error ? cause.message : String(cause), isProven }
  }
}
