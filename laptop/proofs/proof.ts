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
