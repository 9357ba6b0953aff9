// What service identity costs: making an SVID and verifying one, each on one core, and TLS handshakes
// with a nats-server on loopback, which shows a leaf and its intermediate.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../core/identity/bundle.ts'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { issueLeaf } from '../../core/identity/issue.ts'
import { parseSpiffeId, parseTrustDomain } from '../../core/identity/spiffe-id.ts'
import { verifySvid } from '../../core/identity/svid.ts'
import { peerChain } from '../../nats/handshake.ts'
import {
  laptopConstraints,
  makeAuthority,
  makeLeaf,
  makeRoot,
  type Held,
} from '../../tests/core/identity/example.ts'
import { startTestServer, type TestServer } from '../../tests/test-server.ts'
import { interleave } from '../interleave.ts'
import { makeFolder } from '../place.ts'
import type { Bench, Figure, Row } from '../row.ts'

export const identity: Row = {
  name: 'identity',
  what: 'SVIDs issued and verified on one core, handshakes with a nats-server',
  measure,
}

const id = parseSpiffeId('spiffe://ams3.example/nats/server-0')
const hourSeconds = 3600
/** As many as dial at once after a region was away. */
const dialsAtOnce = 8

async function measure(bench: Bench): Promise<Figure[]> {
  using folder = makeFolder()
  const nowMs = Date.now()
  const root = await makeRoot(nowMs, 'example')
  const ams3 = await makeAuthority(root, 'ams3', nowMs, laptopConstraints('ams3'))
  const leaf = await makeLeaf(ams3, { id, ips: ['127.0.0.1'] }, nowMs)
  const chain = [leaf.certificate, ams3.certificate]
  const verify = prepareVerification(ams3, chain, nowMs)
  await using server = await serve(folder.path, { chain, leaf })
  const durationMs = bench.duration(300)
  const samples = await interleave(bench.rounds(15), {
    issued: () => perSecond(() => issue(leaf.pair.publicKey, ams3, nowMs), durationMs),
    verified: () => perSecond(verify, durationMs),
    handshakes: () => shakenPerSecond(server, { durationMs, size: chain.length }),
  })
  return [
    { what: 'SVIDs issued', unit: '/s', samples: samples.issued },
    { what: 'chains verified', unit: '/s', samples: samples.verified },
    {
      what: `TLS 1.3 handshakes, ${dialsAtOnce} at once, both ends on this machine`,
      unit: '/s',
      samples: samples.handshakes,
    },
  ]
}

/** The holder's key is its own: making one is not the issuer's work. */
function issue(publicKey: Parameters<typeof issueLeaf>[0], issuer: Held, nowMs: number) {
  const profile = { id, dns: ['ams3-0.ams3.example'], ips: ['127.0.0.1'] }
  const serial = randomBytes(16)
  const issuance = { commonName: 'ams3-0', nowMs, lifetimeSeconds: hourSeconds, serial, issuer }
  return issueLeaf(publicKey, profile, issuance)
}

/** From bytes, as they come from a peer. */
function prepareVerification(
  { certificate }: Held,
  chain: readonly { readonly der: Buffer }[],
  nowMs: number,
): () => unknown {
  const bundle: Bundle = {
    authorities: [certificate],
    refreshHintSeconds: 300,
    jwtKeys: new Map(),
  }
  const bundles = new Map([[parseTrustDomain('ams3.example'), bundle]])
  const ders = chain.map(({ der }) => der)
  const verify = () => verifySvid(ders, { bundles, nowMs }).id
  if (verify() !== id) throw new Error('another identity was verified')
  return verify
}

async function serve(
  folder: string,
  { chain, leaf }: { chain: Parameters<typeof formatCertificates>[0]; leaf: Leaf },
): Promise<TestServer> {
  const [certificate, key] = [join(folder, 'server.crt'), join(folder, 'server.key')]
  writeFileSync(certificate, formatCertificates(chain))
  writeFileSync(key, leaf.pair.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
  return startTestServer({ tls: { cert_file: certificate, key_file: key, min_version: '1.3' } })
}

type Leaf = Awaited<ReturnType<typeof makeLeaf>>

/** By the clock: the work is the server's as well. */
async function shakenPerSecond(
  server: TestServer,
  { durationMs, size }: { durationMs: number; size: number },
): Promise<number> {
  const { hostname: host, port } = new URL(server.url)
  const started = performance.now()
  let done = 0
  const dial = async (): Promise<void> => {
    while (performance.now() - started < durationMs) {
      const { chain } = await peerChain({ host, port: Number(port), mode: 'nats' })
      if (chain.length !== size) throw new Error(`${chain.length} certificates were shown`)
      done += 1
    }
  }
  await Promise.all(Array.from({ length: dialsAtOnce }, dial))
  return (done * 1000) / (performance.now() - started)
}

/** By the time on the processor: what else runs on the machine changes it least. */
async function perSecond(run: () => unknown, durationMs: number): Promise<number> {
  const before = process.cpuUsage()
  let [turns, spentMs] = [0, 0]
  while (spentMs < durationMs) {
    await run()
    turns += 1
    const { user, system } = process.cpuUsage(before)
    spentMs = (user + system) / 1000
  }
  return (turns * 1000) / spentMs
}
