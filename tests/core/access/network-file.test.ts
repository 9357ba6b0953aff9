import test from 'ava'
import {
  formatNetworkFile,
  parseNetworkFile,
  regionsFrom,
  type NetworkFile,
} from '../../../core/access/network-file.ts'
import { formatCreds } from '../../../core/trust/creds.ts'
import { alice, makeCredential, makeTrust } from './trust.ts'

const trust = makeTrust()
const lobbyCreds = formatCreds(makeCredential(trust, 'lobby'), alice.pair.seed)
const region = (name: string) => ({ name, servers: [`tls://${name}:4222`], https: {} })
const file: NetworkFile = {
  version: 1,
  network: 'archipelago',
  operator: trust.operator.text,
  ca: 'PEM',
  regions: [region('ams3'), region('sfo2'), region('sgp1')],
  lobbyCreds,
}

test('reads what it wrote, and pins the operator', (t) => {
  const network = parseNetworkFile(formatNetworkFile(file))
  t.deepEqual(network.file, file)
  t.is(network.operator.claims.sub, trust.operator.claims.sub)
  t.is(network.lobby.pair.publicKey, alice.pair.publicKey)
})

const [head, body] = trust.operator.text.split('.')
const tampered = `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`
for (const [what, changes, code, message] of [
  [
    'of another version',
    { version: 2 },
    'ERR_NETWORK_FILE_ILLEGAL',
    /^illegal network file: version: /,
  ],
  [
    'without regions',
    { regions: [] },
    'ERR_NETWORK_FILE_ILLEGAL',
    /^illegal network file: regions: /,
  ],
  [
    'with a door that is none',
    { regions: [{ ...region('ams3'), https: { window: 'x' } }] },
    'ERR_NETWORK_FILE_ILLEGAL',
    /^illegal network file: regions\.0\.https: /,
  ],
  [
    'with a field too many',
    { note: '' },
    'ERR_NETWORK_FILE_ILLEGAL',
    /^illegal network file: Unrecognized key: "note"/,
  ],
  [
    'whose operator is not signed',
    { operator: tampered },
    'ERR_JWT_SIGNATURE',
    /^JWT \w+: signature is not by O/,
  ],
  [
    'whose operator is an account',
    { operator: trust.account.text },
    'ERR_JWT_ILLEGAL',
    /^illegal JWT: not of type operator: 'account'$/,
  ],
  [
    'without creds',
    { lobbyCreds: '' },
    'ERR_CREDS_ILLEGAL',
    /^illegal creds file: no JWT and seed in it$/,
  ],
] as const)
  test(`refuses a file ${what}`, (t) => {
    t.throws(() => parseNetworkFile(JSON.stringify({ ...file, ...changes })), { code, message })
  })

test('refuses what is not JSON', (t) => {
  t.throws(() => parseNetworkFile('{'), {
    code: 'ERR_NETWORK_FILE_ILLEGAL',
    message: 'illegal network file: not JSON',
  })
})

test('regions in order, the wanted one first', (t) => {
  const names = (first?: string): string[] => regionsFrom(file, first).map(({ name }) => name)
  t.deepEqual(names(), ['ams3', 'sfo2', 'sgp1'])
  t.deepEqual(names('sgp1'), ['sgp1', 'ams3', 'sfo2'])
  t.throws(() => names('lon1'), {
    code: 'ERR_REGION_UNKNOWN',
    message: "unknown region: 'lon1' (ams3, sfo2, sgp1)",
  })
})
