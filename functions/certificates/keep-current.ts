// Takes a renewed certificate while its process runs. What is not good is refused, and the one of before
// stays; what is newer on disk than what is shown raises an alarm.
import { parseCertificates, type Certificate } from '../../core/identity/certificate.ts'
import { formatLeft } from '../../core/identity/shown-certificate.ts'
import { requireSuccessor } from '../../core/identity/successor.ts'
import { requireSvid } from '../../core/identity/svid.ts'
import { readPems, type CertificatePems, type HeldCertificate } from './held.ts'
import { openAlarm, type Alarm } from './alarm.ts'
import { stampOf, watchFiles } from './watch-files.ts'

export interface Renewed {
  /** Such as `the link to NATS`. */
  readonly what: string
  readonly held: HeldCertificate
  /** Makes it the one that peers see; when it rejects, it is tried again. */
  readonly show: (pems: CertificatePems) => Promise<void> | void
}
export interface Keeping {
  readonly report: (line: string) => void
  readonly nowMs?: () => number
  readonly pollMs?: number
  /** So long a newer file may wait, and so long an alarm is not repeated. */
  readonly alarmMs?: number
  readonly repeatMs?: number
}

const triesPauseMsMax = 30_000

/** Until it is disposed, which waits for what is being taken. */
export function keepCurrent(renewed: Renewed, keeping: Keeping): AsyncDisposable {
  const { held, what } = renewed
  const { nowMs = Date.now, pollMs = 1_000, report } = keeping
  const paths = Object.values(held.files) as string[]
  const alarm = openAlarm(what, { ...keeping, nowMs })
  const taking: Taking = { renewed, shown: held.current, leaf: leafOf(held.current), alarm, nowMs }
  const tries = { stamp: '', count: 0, nextMs: 0 }
  const attempt = async (): Promise<void> => {
    const stamp = stampOf(paths)
    const isOther = stamp !== tries.stamp
    if (isOther) Object.assign(tries, { stamp, count: 0 })
    else if (alarm.waitsFor === undefined || performance.now() < tries.nextMs)
      return alarm.look(taking.leaf)
    try {
      if (await takeNewer(taking)) report(`${what} shows ${describe(taking.leaf, nowMs())}`)
      alarm.settle()
      tries.count = 0
    } catch (error) {
      tries.count += 1
      tries.nextMs = performance.now() + Math.min(triesPauseMsMax, pollMs * 2 ** (tries.count - 1))
      // Files are written one after the other: what does not fit at first may fit at the next look.
      alarm.wait(error, { isTold: tries.count === 2, file: held.files.certificate })
    }
    alarm.look(taking.leaf)
  }
  let busy: Promise<void> | undefined
  const look = (): void => void (busy ??= attempt().finally(() => (busy = undefined)))
  const watching = watchFiles(paths, look, { pollMs })
  look()
  return {
    async [Symbol.asyncDispose]() {
      watching[Symbol.dispose]()
      await busy
    },
  }
}

interface Taking {
  readonly renewed: Renewed
  /** What peers see. */
  shown: CertificatePems
  leaf: Certificate
  readonly alarm: Alarm
  readonly nowMs: () => number
}

/** Whether there was one. */
async function takeNewer(taking: Taking): Promise<boolean> {
  const { renewed, shown, nowMs } = taking
  const { held, show } = renewed
  const pems = readPems(held.files)
  if (isSame(pems, shown)) return false
  const leaf = requireSuccessor(pems, {
    authorities: parseCertificates(pems.trusted),
    id: idOf(taking.leaf),
    nowMs: nowMs(),
  })
  held.replace(pems)
  await show(pems)
  const isOther = leaf.serial !== taking.leaf.serial
  Object.assign(taking, { shown: pems, leaf })
  return isOther
}

const isSame = (one: CertificatePems, other: CertificatePems) =>
  one.certificate === other.certificate && one.key === other.key && one.trusted === other.trusted

/** Public certificates have none. */
const idOf = (leaf: Certificate) => (leaf.names.uris.length > 0 ? requireSvid(leaf) : undefined)

const leafOf = ({ certificate }: CertificatePems) =>
  parseCertificates(certificate)[0] as Certificate

function describe({ serial, notAfterMs }: Certificate, nowMs: number): string {
  return `serial ${serial}, ${formatLeft(Math.floor((notAfterMs - nowMs) / 1000))} left`
}
