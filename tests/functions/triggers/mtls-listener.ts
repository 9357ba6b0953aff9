// A listener for workloads with nothing behind it, and certificates of all kinds to show to it.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import type { Bundle, BundleMap } from '../../../core/identity/bundle.ts'
import { parseCertificate } from '../../../core/identity/certificate.ts'
import { formatPem } from '../../../core/identity/pem.ts'
import { parseTrustDomain } from '../../../core/identity/spiffe-id.ts'
import type { PeerTrust } from '../../../functions/certificates/peer-trust.ts'
import { openAudit } from '../../../functions/provisioning/audit.ts'
import { startWork, type Handle } from '../../../functions/provisioning/work.ts'
import { serveMtls, type MtlsTrigger } from '../../../functions/triggers/mtls.ts'
import { formatPrivateKey } from '../../../store/authority-keys.ts'
import { laptopConstraints } from '../../core/identity/example.ts'
import {
  commonName,
  constraints,
  dayMs,
  forgeAuthority,
  forgeLeaf,
  forgeRoot,
  makePair,
  names,
  type Fields,
  type Forged,
} from '../../core/identity/forge.ts'
import { askHttp, type HttpAnswer } from '../ask.ts'

export const now = Date.now()
export const long = { notBeforeMs: now - dayMs, notAfterMs: now + dayMs }
export const root = forgeRoot({
  ...long,
  extensions: { names: names({ uris: ['spiffe://example'] }) },
})
export const [ams3, sfo2, fra1] = ['ams3', 'sfo2', 'fra1'].map((region) => makeRegion(region)) as [
  Forged,
  Forged,
  Forged,
]
export const former = makeRegion('ams3', 'the ams3 authority of before')
export const stranger = forgeRoot({ ...long, subject: commonName('stranger') })
export const foreign = forgeAuthority(stranger, 'ams3', { ...long, subject: commonName('foreign') })
export const id = 'spiffe://ams3.example/workload/billing'

function makeRegion(region: string, name = `${region} authority`): Forged {
  const limits = constraints(laptopConstraints(region))
  return forgeAuthority(root, region, {
    ...long,
    subject: commonName(name),
    extensions: { constraints: limits },
  })
}

export interface Shown {
  readonly leaf: Forged
  readonly chain: readonly Forged[]
}
type Change = Partial<Fields>

export function shows(
  issuer: Forged,
  change: Change = {},
  above: readonly Forged[] = [issuer],
): Shown {
  const extensions = { names: names({ uris: [id] }), ...change.extensions }
  const leaf = forgeLeaf(issuer, { ...long, pair: makePair(), ...change, extensions })
  return { leaf, chain: [leaf, ...above] }
}

const pem = (chain: readonly Forged[]) =>
  chain.map(({ der }) => formatPem('CERTIFICATE', der)).join('')
export const pemsOf = ({ leaf, chain }: Shown) => ({
  certificate: pem(chain),
  key: formatPrivateKey(leaf.pair.privateKey),
})

const bundleOf = (...authorities: readonly Forged[]): Bundle => ({
  ...{ sequence: 1, refreshHintSeconds: 300, jwtKeys: new Map() },
  authorities: authorities.map(({ der }) => parseCertificate(der)),
})
export const trustOf = (by: Readonly<Record<string, readonly Forged[]>>): PeerTrust => {
  const bundles: BundleMap = new Map(
    Object.entries(by).map(([domain, of]) => [parseTrustDomain(domain), bundleOf(...of)]),
  )
  return { bundles, roots: pem([root]) }
}
const trust = trustOf({ 'ams3.example': [ams3], 'sfo2.example': [sfo2] })
const server = shows(ams3, {
  extensions: {
    names: names({ uris: ['spiffe://ams3.example/function/identity'], ips: ['127.0.0.1'] }),
  },
})

/** Answers with what it knows of its caller. */
const handle: Handle = ({ caller }) => ({ isGranted: true, body: JSON.stringify(caller) })

export interface Open extends MtlsTrigger {
  readonly audited: Record<string, unknown>[]
  readonly reported: string[]
}

export async function open(nowMs = () => Date.now()): Promise<Open> {
  const [audited, reported]: [Record<string, unknown>[], string[]] = [[], []]
  const audit = openAudit({ region: 'ams3', door: 'lobby' }, (line) =>
    audited.push(JSON.parse(line) as Record<string, unknown>),
  )
  const door = { door: 'lobby', work: startWork(handle, { door: 'lobby', audit }) } as const
  const report = (line: string) => void reported.push(line)
  const rest = { problem: () => undefined, audit, report, nowMs }
  const at = { host: '127.0.0.1', port: 0 }
  const listener = await serveMtls(at, { shown: pemsOf(server), trust }, { ...door, ...rest })
  return { ...listener, audited, reported }
}

export const dial = (shown?: Shown) => ({
  ca: pem([root]),
  ...(shown && { cert: pem(shown.chain), key: formatPrivateKey(shown.leaf.pair.privateKey) }),
})
export const ask = (
  { port }: MtlsTrigger,
  shown?: Shown,
  options: object = {},
): Promise<HttpAnswer> =>
  askHttp(`https://127.0.0.1:${port}/`, { ...dial(shown), body: Buffer.from('{}'), ...options })

export async function dialed(
  { port }: MtlsTrigger,
  shown: Shown,
  options: object = {},
): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ...dial(shown), ...options })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

/** On an open connection, after its first answer: by then the listener knows who it is. */
export async function asking(
  listener: MtlsTrigger,
  shown: Shown,
  onSession: (session: Buffer) => void = () => {},
): Promise<TLSSocket> {
  const socket = await dialed(listener, shown)
  socket.on('session', onSession)
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'data')
  return socket.resume()
}

/** What somebody who was let in could resume, if it were good for anything. */
export async function sessionsOf(listener: MtlsTrigger, shown: Shown): Promise<Buffer[]> {
  const sessions: Buffer[] = []
  const socket = await asking(listener, shown, (session) => sessions.push(session))
  socket.destroy()
  return sessions
}
