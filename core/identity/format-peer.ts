// What `verify-peer` prints and takes: lines for people, and limits of life as they are written.
import { parseDuration } from '../duration.ts'
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import { misfits, type Misfit, type PeerFinding, type PeerReport } from './peer-report.ts'
import { formatLeft, type Rank, type ShownCertificate } from './shown-certificate.ts'

export function formatPeer({ kind, id, certificates, findings }: PeerReport): string[] {
  return [
    `${kind}: ${id === undefined ? 'no SPIFFE ID' : quote(id)}`,
    ...certificates.flatMap(formatCertificate),
    ...(findings.length === 0 ? ['✔ fits'] : formatPeerFindings(findings)),
  ]
}

export function formatPeerFindings(findings: readonly PeerFinding[]): string[] {
  const width = Math.max(...findings.map(({ code }) => code.length))
  return findings.map(({ code, message }) => `✘ ${code.padEnd(width)}  ${message}`)
}

function formatCertificate(certificate: ShownCertificate): string[] {
  const { rank, subject, issuer, names, serial, isShown } = certificate
  const { sha256, spkiSha256, notBefore, notAfter, secondsLeft } = certificate
  const facts = [
    ...(names === '' ? [] : [`names    ${names}`]),
    `issuer   ${issuer}`,
    `serial   ${serial}`,
    `sha256   ${sha256}`,
    `key      ${spkiSha256}`,
    `valid    ${notBefore} to ${notAfter}, ${formatLeft(secondsLeft)} left`,
  ]
  const from = isShown ? '' : ' (not shown: from the file of roots)'
  return [`${rank}: ${subject}${from}`, ...facts.map((fact) => `  ${fact}`)]
}

/** The table of exit codes, for help and documents. */
export function formatExitCodes(): string[] {
  const found = (Object.keys(misfits) as Misfit[]).map(
    (misfit) => [misfits[misfit].exitCode, misfits[misfit].what] as const,
  )
  const all = [[0, 'everything fits'], [2, 'the command or its files are wrong'], ...found] as const
  return all
    .toSorted(([a], [b]) => a - b)
    .map(([code, what]) => `${String(code).padStart(2)}  ${what}`)
}

const ranks: readonly string[] = ['leaf', 'intermediate', 'root'] satisfies Rank[]

/** `leaf=15m,intermediate=30d,root=1y` to seconds; a year has 365 days. */
export function parseFailUnder(text: string): Partial<Record<Rank, number>> {
  const limits = text.split(',').map((part): [string, number] => {
    const [rank = '', duration = '', ...more] = part.split('=')
    if (!ranks.includes(rank) || duration === '' || more.length > 0) throw illegal(part)
    return [rank, parseDuration(duration.replace(/^(\d{1,3})y$/, (_, years) => `${years * 365}d`))]
  })
  const twice = limits.find(([rank], index) =>
    limits.some(([each], at) => at < index && each === rank),
  )
  if (twice !== undefined) throw illegal(`${twice[0]} twice`)
  return Object.fromEntries(limits)
}

const illegal = (what: string) =>
  new Refusal('ERR_OPTION_ILLEGAL', `--fail-under is like leaf=15m,root=1y: ${quote(what)}`)
