// Says what is wrong with the certificates of a process: a refused file once, an alarm again and again.
import { issuedAtMs, type Life } from '../../core/identity/lifetime.ts'
import { formatLeft } from '../../core/identity/shown-certificate.ts'

export interface Alarm {
  /** Why what lies on disk is not shown; undefined while it is. */
  readonly waitsFor: string | undefined
  /** What lies on disk is shown. */
  settle(): void
  wait(error: unknown, options: { readonly isTold: boolean; readonly file: string }): void
  /** Rings where something waits for long, or what is shown is about to end. */
  look(shown: Life): void
}
export interface AlarmOptions {
  readonly report: (line: string) => void
  readonly nowMs: () => number
  readonly alarmMs?: number
  readonly repeatMs?: number
}

/** Renewed at half of its life, a certificate has never so little of it left. */
const nearEndShare = 0.25

export function openAlarm(what: string, options: AlarmOptions): Alarm {
  const { report, nowMs, alarmMs = 10_000, repeatMs = 60_000 } = options
  let waiting: { reason: string; file: string; sinceMs: number } | undefined
  let rungMs = -Infinity
  const ring = (line: string): void => {
    if (performance.now() - rungMs < repeatMs) return
    rungMs = performance.now()
    report(`alarm: ${line}`)
  }
  return {
    get waitsFor() {
      return waiting?.reason
    },
    settle() {
      if (waiting !== undefined) rungMs = -Infinity
      waiting = undefined
    },
    wait(error, { isTold, file }) {
      const reason = error instanceof Error ? error.message : String(error)
      waiting = { reason, file, sinceMs: waiting?.sinceMs ?? performance.now() }
      if (isTold) report(`${what} keeps its certificate, ${file} is refused: ${reason}`)
    },
    look(shown) {
      const leftMs = shown.notAfterMs - nowMs()
      const isNearEnd = leftMs < (shown.notAfterMs - issuedAtMs(shown)) * nearEndShare
      const left = formatLeft(Math.floor(leftMs / 1000))
      if (waiting !== undefined && performance.now() - waiting.sinceMs >= alarmMs)
        ring(`${waiting.file} is newer than what ${what} shows (${left} left): ${waiting.reason}`)
      else if (waiting === undefined && isNearEnd)
        ring(`the certificate of ${what} has ${left} left, and none is newer`)
    },
  }
}
