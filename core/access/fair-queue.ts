export interface FairQueue<Job> {
  /** False where the source waits with as many as it may: nothing is thrown, for a flood is cheap so. */
  push(source: string, job: Job): boolean
  /** The next job, each source in its turn; undefined when none waits. */
  shift(): Job | undefined
  readonly size: number
}

/**
 * One line for each source (a connection, an address), served in turn: who floods waits behind
 * himself only. Sources are bounded too, since whoever can open connections could open many.
 */
export function makeFairQueue<Job>({
  perSourceMax = 64,
  sourcesMax = 10_000,
} = {}): FairQueue<Job> {
  const lines = new Map<string, Job[]>()
  let size = 0
  return {
    push(source, job) {
      const line = lines.get(source) ?? []
      if (line.length >= perSourceMax) return false
      if (line.length === 0 && lines.size >= sourcesMax) return false
      line.push(job)
      lines.set(source, line)
      size += 1
      return true
    },
    shift() {
      const [first] = lines
      if (first === undefined) return undefined
      const [source, line] = first
      const job = line.shift()
      // To the end of the round: a Map keeps the order of insertion.
      lines.delete(source)
      if (line.length > 0) lines.set(source, line)
      size -= 1
      return job
    },
    get size() {
      return size
    },
  }
}
