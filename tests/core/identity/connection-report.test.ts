import test from 'ava'
import {
  formatConnection,
  judgeConnections,
  type ObservedConnection,
} from '../../../core/identity/connection-report.ts'
import type { Recorded } from '../../../core/identity/recorded.ts'
import { parseSpiffeId } from '../../../core/identity/spiffe-id.ts'

const leafnode = parseSpiffeId('spiffe://ams3.example/nats/leafnode')
const lobby = parseSpiffeId('spiffe://ams3.example/function/lobby')
const gone = parseSpiffeId('spiffe://ams3.example/workload/gone')
const sha256 = 'a'.repeat(64)
const recorded: Recorded = {
  ...{ kind: 'identity', region: 'ams3', id: leafnode, holder: 'ams3-leafnode', serial: '40' },
  ...{ sha256, spkiSha256: 'b'.repeat(64) },
  notBefore: '2026-06-01T11:59:00.000Z',
  notAfter: '2026-06-01T13:00:00.000Z',
}
const observed: ObservedConnection = {
  ...{ server: 'ams3-0', cid: 7, kind: 'leafnode', name: 'ams3-leafnode', sha256 },
  startMs: Date.parse('2026-06-01T12:00:00Z'),
  expected: [leafnode],
}
const judge = (connection: ObservedConnection, record: Recorded = recorded) =>
  judgeConnections([connection], {
    issued: new Map([[sha256, record]]),
    withdrawn: [gone],
    archipelago: { trustDomain: 'example' },
  })

test('a connection is named by the record, whatever it calls itself', (t) => {
  const { connections, findings } = judge({ ...observed, name: 'somebody else' })
  t.deepEqual(findings, [])
  t.deepEqual(connections.map(formatConnection), [
    `leafnode ams3-0#7 ('somebody else'): spiffe://ams3.example/nats/leafnode, serial 40, since 2026-06-01T12:00:00.000Z`,
  ])
})

const { sha256: _, ...bare } = observed
const { id: _id, ...outside } = recorded
const misfits: readonly [string, ReturnType<typeof judge>, string, string][] = [
  [
    'of a certificate that nobody recorded',
    judge({ ...observed, sha256: 'c'.repeat(64) }),
    'unknown ERR_CERTIFICATE_UNKNOWN',
    `no record of ${'c'.repeat(64)}`,
  ],
  ['without a certificate', judge(bare), 'unknown ERR_CERTIFICATE_UNKNOWN', 'shows no certificate'],
  [
    'by a public certificate',
    judge(observed, { ...outside, kind: 'public' }),
    'id ERR_PEER_ID',
    'recorded in ams3 as public',
  ],
  [
    'that another region recorded',
    judge(observed, { ...recorded, region: 'sfo2' }),
    'id ERR_PEER_ID',
    `recorded in sfo2 as '${leafnode}'`,
  ],
  [
    'of a withdrawn identity',
    judge({ ...observed, expected: [gone] }, { ...recorded, id: gone }),
    'id ERR_IDENTITY_WITHDRAWN',
    `identity is withdrawn: '${gone}'`,
  ],
  [
    'of somebody who does not belong there',
    judge({ ...observed, expected: [lobby] }),
    'id ERR_PEER_ID',
    `is '${leafnode}', not '${lobby}'`,
  ],
  [
    'where nobody is known',
    judge({ ...observed, expected: [] }),
    'id ERR_PEER_ID',
    `is '${leafnode}', not anybody known`,
  ],
]

for (const [what, { findings }, code, message] of misfits)
  test(`a connection ${what} is a finding`, (t) => {
    t.deepEqual(
      findings.map((each) => [`${each.misfit} ${each.code}`, each.message]),
      [[code, `leafnode ams3-0#7 ('ams3-leafnode'): ${message}`]],
    )
  })

test('a region whose name begins like another one’s is another one', (t) => {
  const id = parseSpiffeId('spiffe://ams3.example.org/nats/leafnode')
  t.is(judge({ ...observed, expected: [id] }, { ...recorded, id }).findings.length, 1)
})
