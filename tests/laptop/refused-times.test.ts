// Servers that refuse a certificate for its times, and what is told of it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import test from 'ava'
import { formatCertificates } from '../../core/identity/certificate.ts'
import { Refusal } from '../../core/errors.ts'
import { awaitMesh } from '../../laptop/mesh.ts'
import { describeRefusedTimes } from '../../laptop/refused-times.ts'
import { formatPrivateKey } from '../../store/authority-keys.ts'
import { laptopConstraints, makeAuthority, makeLeaf, makeRoot } from '../core/identity/example.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { startTestServer } from '../test-server.ts'
import { until } from '../until.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const root = await makeRoot(Date.now() - dayMs, 'example')
const authority = await makeAuthority(root, 'ams3', Date.now() - dayMs, laptopConstraints('ams3'))

/** Issued now by a clock that is so far off, for five minutes. */
async function issue(shiftMs: number): Promise<{ cert: string; key: string }> {
  const id = 'spiffe://ams3.example/nats/server-0'
  const leaf = await makeLeaf(authority, { id, ips: ['127.0.0.1'] }, Date.now() + shiftMs, 300)
  const cert = formatCertificates([leaf.certificate, authority.certificate])
  return { cert, key: formatPrivateKey(leaf.pair.privateKey) }
}

for (const [what, shiftMs, message] of [
  [
    'ahead',
    10 * minuteMs,
    /^ams3-0 refuses a certificate that begins (20\S+Z), its clock says (20\S+Z)$/,
  ],
  [
    'behind',
    -10 * minuteMs,
    /^ams3-0 refuses a certificate that ended (20\S+Z), its clock says (20\S+Z)$/,
  ],
] as const)
  test(`a server names both clocks of a peer whose issuer is ten minutes ${what}`, async (t) => {
    const folder = temporaryFolder(t)
    const paths = ['crt', 'key', 'ca'].map((name) => join(folder, name)) as [string, string, string]
    const [cert_file, key_file, ca_file] = paths
    const { cert, key } = await issue(0)
    writeFileSync(cert_file, cert)
    writeFileSync(key_file, key)
    writeFileSync(ca_file, formatCertificates([authority.certificate]))
    const tls = { cert_file, key_file, ca_file, verify: true }
    await using server = await startTestServer({ tls: { ...tls, handshake_first: true } })
    const servers = [{ name: 'ams3-0', log: join(server.folder, 'log') }]
    t.is(describeRefusedTimes(servers), undefined)
    const [host = '', port] = server.url.replace(/^\w+:\/\//, '').split(':')
    const socket = connect({
      host,
      port: Number(port),
      ...(await issue(shiftMs)),
      rejectUnauthorized: false,
    })
    socket.on('error', () => {}).resume()
    t.teardown(() => void socket.destroy())
    const told = await until('the server notes it', () => describeRefusedTimes(servers))
    const [, limit = '', clock = ''] = message.exec(told) ?? []
    const apartMs = Date.parse(limit) - Date.parse(clock)
    t.true(Math.abs(apartMs) > 4 * minuteMs, told)
  })

test('why no server lets the observer in is said, too', async (t) => {
  const why = 'cannot connect: its certificate begins then, this clock says now'
  const connecting = () => Promise.reject(new Refusal('ERR_CONNECT', why))
  const network = { regions: [], digests: new Map<string, string>() }
  await t.throwsAsync(awaitMesh(network, { connect: connecting, deadlineMs: 100 }), {
    code: 'ERR_NOT_MESHED',
    message: `no whole mesh within 100 ms: no server lets the observer in: ${why}`,
  })
})
