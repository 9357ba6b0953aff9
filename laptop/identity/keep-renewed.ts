// When certificates are renewed: each process by itself, around the middle of their life. How is for
// others to say.
import { setTimeout as delay } from 'node:timers/promises'
import { isLeafDue, retryMs, type Life } from '../../core/identity/lifetime.ts'
import { formatTime, thisClock } from '../../core/time.ts'

/** What is done for a process, by its name. */
export interface RenewalWork {
  /** Read at each look: processes come and go. */
  readonly names: () => readonly string[]
  /** Of its certificates on the disk, the first to end; undefined where one is missing. */
  readonly life: (name: string) => Life | undefined
  /** Writes new ones. */
  readonly renew: (name: string) => Promise<void>
  /** Whether it is known to show what was written last. */
  readonly isServed: (name: string) => boolean
  /** Makes it show them; refuses until it is seen to. */
  readonly serve: (name: string) => Promise<void>
}

export interface RenewalOptions {
  /** Hears of failures, and of the success that ends them. */
  readonly report: (line: string) => void
  /** Hears of every renewal. */
  readonly detail?: ((line: string) => void) | undefined
  /** The wall clock; it may jump, for the machine may sleep. */
  readonly nowMs: () => number
  /** From 0 to 1. */
  readonly random: () => number
  readonly lifetimeMs: () => number
}

interface Holder {
  /** Where around the middle its next renewal is. */
  random: number
  life: Life | undefined
  failures: number
  /** On a clock that never jumps. */
  retryAtMs: number
  busy: Promise<void> | undefined
}

const lookMsMax = 10_000
const looksInALife = 40

/** Renews until disposed, and then ends what it had begun. What is overdue at a look is renewed at once. */
export function keepRenewed(work: RenewalWork, options: RenewalOptions): AsyncDisposable {
  const stop = new AbortController()
  const holders = new Map<string, Holder>()
  const renewing = lookAgainAndAgain(work, { ...options, holders, signal: stop.signal })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await renewing
      for (const { busy } of holders.values()) await busy
    },
  }
}

interface Renewal extends RenewalOptions {
  readonly holders: Map<string, Holder>
  readonly signal: AbortSignal
}

async function lookAgainAndAgain(work: RenewalWork, renewal: Renewal): Promise<void> {
  const { signal, lifetimeMs } = renewal
  while (!signal.aborted) {
    for (const name of work.names()) look(work, renewal, name)
    // Timers stand still while a machine sleeps: a short one, and then the wall clock is asked.
    const waitMs = Math.min(lifetimeMs() / looksInALife, lookMsMax)
    await delay(waitMs, undefined, { signal }).catch(() => {})
  }
}

function look(work: RenewalWork, renewal: Renewal, name: string): void {
  const holder = holderOf(work, renewal, name)
  if (holder.busy !== undefined || performance.now() < holder.retryAtMs) return
  if (!isDue(holder, renewal) && work.isServed(name)) return
  holder.busy = attempt(work, renewal, name).finally(() => (holder.busy = undefined))
}

function holderOf(work: RenewalWork, { holders, random }: Renewal, name: string): Holder {
  const known = holders.get(name)
  if (known !== undefined) return known
  const state = { failures: 0, retryAtMs: 0, busy: undefined }
  const holder: Holder = { random: random(), life: work.life(name), ...state }
  holders.set(name, holder)
  return holder
}

const isDue = ({ life, random }: Holder, { nowMs }: Renewal) =>
  life === undefined || isLeafDue(life, nowMs(), random)

async function attempt(work: RenewalWork, renewal: Renewal, name: string): Promise<void> {
  const holder = holderOf(work, renewal, name)
  const { report, detail = () => {}, random, lifetimeMs } = renewal
  try {
    // Somebody else may have renewed it.
    holder.life = work.life(name)
    if (holder.failures === 0) tellPutBack(holder, renewal, name)
    if (isDue(holder, renewal)) await work.renew(name)
    holder.life = work.life(name)
    await work.serve(name)
    const tell = holder.failures > 0 ? report : detail
    tell(`${name} shows new certificates`)
    Object.assign(holder, { random: random(), failures: 0 })
  } catch (error) {
    const waitMs = retryMs(holder.failures, { random: random(), lifeMs: lifetimeMs() })
    holder.retryAtMs = performance.now() + waitMs
    holder.failures += 1
    const reason = error instanceof Error ? error.message : String(error)
    if (isWorthALine(holder.failures))
      report(`${name}'s certificates are not renewed: ${reason}; tried ${holder.failures} times`)
  }
}

/** Peers whose clock is right take them; whose clock is as this one refuse them. */
function tellPutBack({ life }: Holder, { nowMs, report }: Renewal, name: string): void {
  const now = nowMs()
  if (life === undefined || now >= life.notBeforeMs) return
  const begin = `certificates begin ${formatTime(life.notBeforeMs)}`
  report(`${name}'s ${begin}, ${thisClock(now)}: it was put back, and they are made anew`)
}

/** The first, and then ever more seldom. */
const isWorthALine = (failures: number) => Number.isInteger(Math.log2(failures))
