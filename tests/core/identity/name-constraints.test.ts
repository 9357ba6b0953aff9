import test from 'ava'
import { array, assert, integer, ipV4, ipV6, property, stringMatching, tuple } from 'fast-check'
import { contextTag, encodeDer, readDer } from '../../../core/identity/der.ts'
import { encodeName, formatIp, nameTag, parseIp } from '../../../core/identity/general-name.ts'
import {
  encodeNameConstraints,
  noSubtrees,
  readNameConstraints,
  requirePermitted,
  type NameConstraints,
  type Subtrees,
} from '../../../core/identity/name-constraints.ts'
import { sequence } from './forge.ts'

const host = stringMatching(/^[a-z][a-z0-9-]{0,9}(\.[a-z][a-z0-9]{0,5}){0,3}$/)
const subtrees = tuple(
  array(host, { maxLength: 3 }),
  array(host, { maxLength: 3 }),
  array(tuple(ipV4(), integer({ min: 0, max: 32 })), { maxLength: 3 }),
).map(([uris, dns, ranges]): Subtrees => ({
  uris,
  dns,
  ips: ranges.map(([address, bits]) => `${address}/${bits}`),
}))
const isEmpty = (of: Subtrees) => Object.values(of).every((list) => list.length === 0)

test('what is encoded is read again', (t) => {
  assert(
    property(subtrees, subtrees, (permitted, excluded) => {
      if (isEmpty(permitted) && isEmpty(excluded)) return
      const der = encodeNameConstraints({ permitted, excluded })
      t.deepEqual(readNameConstraints(readDer(der)), { permitted, excluded })
    }),
  )
  t.pass()
})

test('an address is read again', (t) => {
  const plain = ipV6().filter((text) => !text.includes('.'))
  assert(property(ipV4(), (text) => void t.is(formatIp(parseIp(text)), text)))
  assert(
    property(plain, (text) => {
      const url = (ip: string) => new URL(`http://[${ip}]`).hostname
      t.is(url(formatIp(parseIp(text))), url(text))
    }),
  )
  t.deepEqual(parseIp('::1'), Buffer.from([...Array<number>(15).fill(0), 1]))
  for (const text of ['', '1.2.3', '1.2.3.256', '1.2.3.4.5', 'a.b.c.d', '::1%lo', '::1.2.3.4'])
    t.throws(() => parseIp(text), { instanceOf: TypeError }, text)
})

const of = (permitted: Partial<Subtrees>, excluded: Partial<Subtrees> = {}): NameConstraints => ({
  permitted: { ...noSubtrees, ...permitted },
  excluded: { ...noSubtrees, ...excluded },
})
const none = { uris: [], dns: [], ips: [], others: [] }

const cases: readonly [NameConstraints, keyof Subtrees, readonly string[], readonly string[]][] = [
  [
    of({ dns: ['a.b'] }),
    'dns',
    ['a.b', 'x.a.b', '*.a.b', 'x.y.a.b'],
    ['b', 'xa.b', 'a.b.c', '*.b'],
  ],
  [of({ dns: ['.a.b'] }), 'dns', ['x.a.b'], ['a.b', 'xa.b']],
  [of({}, { dns: ['a.b'] }), 'dns', ['b', 'c.b'], ['a.b', 'x.a.b', '*.b']],
  [of({ dns: ['b'] }, { dns: ['a.b'] }), 'dns', ['c.b'], ['a.b', 'x.a.b', '*.b', 'c']],
  [
    of({ uris: ['a.b'] }),
    'uris',
    ['spiffe://a.b/x', 'https://A.b'],
    ['spiffe://x.a.b/y', 'spiffe://b/x'],
  ],
  [of({ uris: ['.a.b'] }), 'uris', ['spiffe://x.a.b/y'], ['spiffe://a.b/x']],
  [
    of({ uris: ['a.b'] }),
    'uris',
    [],
    ['urn:a.b', 'spiffe://u@a.b/x', 'spiffe://a.b:1/x', 'a.b', 'x://[::1]/'],
  ],
  [
    of({ ips: ['10.0.0.0/8'] }),
    'ips',
    ['10.0.0.0', '10.255.255.255'],
    ['9.255.255.255', '11.0.0.0', '::a00:0'],
  ],
  [of({ ips: ['10.128.0.0/9'] }), 'ips', ['10.128.0.1'], ['10.127.255.255']],
  [of({ ips: ['::/0'] }), 'ips', ['::1', 'ff::'], ['10.0.0.1']],
  [of({}, { ips: ['0.0.0.0/0'] }), 'ips', ['::1'], ['0.0.0.0', '255.255.255.255']],
]

const codes = {
  uris: 'ERR_CHAIN_NAME_URI',
  dns: 'ERR_CHAIN_NAME_DNS',
  ips: 'ERR_CHAIN_NAME_IP',
}

const ask = (constraints: NameConstraints, kind: keyof Subtrees, name: string) =>
  requirePermitted({ ...none, [kind]: [kind === 'ips' ? parseIp(name) : name] }, constraints)

for (const [constraints, kind, good, bad] of cases)
  test(`${good.join(' ') || 'nothing'} within ${JSON.stringify(constraints)}`, (t) => {
    for (const name of good) t.notThrows(() => ask(constraints, kind, name), name)
    for (const name of bad)
      t.throws(() => ask(constraints, kind, name), { code: codes[kind] }, name)
  })

test('a kind of which nothing is said is free', (t) => {
  const constraints = of({ uris: ['a.b'] })
  t.notThrows(() => ask(constraints, 'dns', 'anything.at.all'))
  t.notThrows(() => ask(constraints, 'ips', '203.0.113.1'))
})

const subtree = (...bases: Buffer[]) =>
  sequence(encodeDer(contextTag(0, true), ...bases.map((base) => sequence(base))))
const minimum = encodeDer(contextTag(0), Buffer.from([1]))
const illegal: readonly [string, Buffer][] = [
  ['nothing', sequence()],
  ['an empty list', sequence(encodeDer(contextTag(0, true)))],
  [
    'both in the wrong order',
    sequence(
      encodeDer(contextTag(1, true), sequence(encodeName('dns', 'a'))),
      encodeDer(contextTag(0, true), sequence(encodeName('dns', 'b'))),
    ),
  ],
  [
    'permitted twice',
    sequence(
      encodeDer(contextTag(0, true), sequence(encodeName('dns', 'a'))),
      encodeDer(contextTag(0, true), sequence(encodeName('dns', 'b'))),
    ),
  ],
  ['a third part', sequence(encodeDer(contextTag(2, true), sequence(encodeName('dns', 'a'))))],
  [
    'a minimum',
    sequence(encodeDer(contextTag(0, true), sequence(encodeName('dns', 'a'), minimum))),
  ],
  ['a directory name', subtree(encodeDer(contextTag(4, true), sequence()))],
  ['a mail address', subtree(encodeDer(contextTag(1), Buffer.from('a@b')))],
  ['a URI in place of its host', subtree(encodeName('uri', 'spiffe://a'))],
  ['an empty DNS name', subtree(encodeName('dns', ''))],
  ['a wildcard', subtree(encodeName('dns', '*.a'))],
  ['an address without a mask', subtree(encodeName('ip', Buffer.alloc(4)))],
  ['a mask with a hole', subtree(encodeName('ip', Buffer.from([10, 0, 0, 0, 255, 0, 255, 0])))],
]

for (const [what, der] of illegal)
  test(`refused: ${what}`, (t) => {
    t.throws(() => readNameConstraints(readDer(der)), { code: 'ERR_NAME_CONSTRAINTS' })
  })

test('the tags are those of RFC 5280', (t) => {
  t.deepEqual(nameTag, { dns: 0x82, uri: 0x86, ip: 0x87 })
})
