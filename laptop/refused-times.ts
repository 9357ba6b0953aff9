// nats-server writes down by which clock it refuses a certificate. Where servers do not find together,
// that is the reason to tell.
import { readIfThere } from '../store/files.ts'

/** Whose log, and where. */
export interface ServerLog {
  readonly name: string
  readonly log: string
}

const started = 'Starting nats-server'
/** As Go says it (crypto/x509, CertificateInvalidError). */
const refused = /current time (\S+) is (before|after) (\S+)/g

/** The newest refusal of each server since it started, or undefined where none refused for a time. */
export function describeRefusedTimes(servers: readonly ServerLog[]): string | undefined {
  const found = servers.flatMap(({ name, log }) => {
    const text = readIfThere(log) ?? ''
    const matches = [...text.slice(Math.max(0, text.lastIndexOf(started))).matchAll(refused)]
    const [, clock, side, limit] = matches.at(-1) ?? []
    if (clock === undefined) return []
    const what = side === 'before' ? 'begins' : 'ended'
    return [`${name} refuses a certificate that ${what} ${limit}, its clock says ${clock}`]
  })
  return found.length === 0 ? undefined : found.join('; ')
}
