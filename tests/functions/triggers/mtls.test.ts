// The listener for workloads: who gets in, as whom, and for how long.
import { once } from 'node:events'
import { hash } from 'node:crypto'
import { Agent } from 'node:https'
import test from 'ava'
import { parseCertificate } from '../../../core/identity/certificate.ts'
import { purposeId } from '../../../core/identity/extensions.ts'
import {
  authority,
  commonName,
  dayMs,
  forgeAuthority,
  names,
  purposes,
  usage,
  type Forged,
} from '../../core/identity/forge.ts'
import { until } from '../../until.ts'
import {
  ams3,
  ask,
  asking,
  dialed,
  foreign,
  former,
  fra1,
  id,
  long,
  now,
  open,
  pemsOf,
  root,
  sessionsOf,
  sfo2,
  shows,
  stranger,
  trustOf,
  type Open,
  type Shown,
} from './mtls-listener.ts'

let listener: Open
test.before(async () => (listener = await open()))
test.after.always(() => listener?.[Symbol.asyncDispose]())

for (const [region, issuer] of [
  ['ams3', ams3],
  ['sfo2', sfo2],
] as const)
  test(`a workload of ${region} is known by its SPIFFE ID`, async (t) => {
    const uri = `spiffe://${region}.example/workload/billing`
    const shown = shows(issuer, { extensions: { names: names({ uris: [uri] }) } })
    const { status, body } = await ask(listener, shown)
    t.is(status, 200)
    const { notAfterMs } = parseCertificate(shown.leaf.der)
    const sha256 = hash('sha256', shown.leaf.der, 'base64url')
    t.like(body, { trigger: 'mtls', identity: { id: uri, sha256, notAfterMs } })
  })

test('names of services, which every authority may make, count from the own region alone', async (t) => {
  await using apart = await open()
  const [own, other] = ['ams3', 'sfo2'].map((region) => forgeAuthority(root, region, long)) as [
    Forged,
    Forged,
  ]
  apart.trust(trustOf({ 'ams3.example': [own], 'sfo2.example': [other] }))
  const named = (issuer: Forged, uri: string, ...dns: string[]) =>
    ask(apart, shows(issuer, { extensions: { names: names({ uris: [uri], dns }) } }))
  const service = 'ams3-identity.nats.svc.cluster.local'
  const theirs = 'spiffe://sfo2.example/function/identity'
  t.is((await named(own, id, service)).status, 200)
  t.is((await named(other, theirs, 'sfo2-identity.sfo2.example')).status, 200)
  t.regex(
    (await named(other, theirs, 'sfo2-identity.sfo2.example', service)).error ?? '',
    /ERR_SVID_NAME_SHARED: SVID 'spiffe:.*': a name that is not below its trust domain: 'ams3-identity/,
  )
  await t.throwsAsync(named(other, 'spiffe://ams3.example/function/identity', service))
})

test('a leaf without its authority is known by the authority of the bundle', async (t) => {
  t.is((await ask(listener, shows(ams3, {}, []))).status, 200)
})

const issuing = shows(ams3, { subject: commonName('a workload') }).leaf
/** Node has no name for every reason of OpenSSL's. */
const unnamed = 'UNSPECIFIED'
const over = { notBeforeMs: now - dayMs, notAfterMs: now - 1_000 }
const elsewhere = { extensions: { names: names({ uris: ['spiffe://fra1.example/x'] }) } }
const withoutUri = { extensions: { names: names({ dns: ['billing.ams3.example'] }) } }
const many = { extensions: { names: names({ uris: [id, `${id}-2`] }) } }

for (const [what, shown, why] of [
  ['no certificate', undefined, 'PEER_DID_NOT_RETURN_A_CERTIFICATE'],
  [
    'a certificate that is over',
    shows(ams3, over),
    /CERT_HAS_EXPIRED: its certificate ended 20\S+Z by its issuer's clock, this clock says 20\S+Z$/,
  ],
  [
    'a certificate of tomorrow',
    shows(ams3, { notBeforeMs: now + dayMs, notAfterMs: now + 2 * dayMs }),
    /CERT_NOT_YET_VALID: its certificate begins 20\S+Z by its issuer's clock, this clock says 20\S+Z$/,
  ],
  ["a stranger's", shows(foreign), /UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)/],
  [
    "a stranger's with the root",
    shows(foreign, {}, [foreign, stranger]),
    'SELF_SIGNED_CERT_IN_CHAIN',
  ],
  ['a certificate that signs itself', { leaf: stranger, chain: [stranger] }, /SELF_SIGNED|INVALID/],
  ["another region's authority in this region's name", shows(sfo2), unnamed],
  ['a leaf that a leaf has signed', shows(issuing, {}, [issuing, ams3]), unnamed],
  [
    'a server alone',
    shows(ams3, { extensions: { purposes: purposes(purposeId.serverAuth) } }),
    'INVALID_PURPOSE',
  ],
] as [string, Shown | undefined, string | RegExp][])
  test(`TLS refuses ${what}, and the log says why`, async (t) => {
    await using apart = await open()
    await t.throwsAsync(ask(apart, shown))
    const line = await until('the line', () => apart.reported[0])
    t.regex(line, /^mTLS handshake refused: /)
    t.regex(line, typeof why === 'string' ? new RegExp(why) : why)
    const [audited, ...more] = apart.audited
    t.like(audited, { verdict: 'refused', rule: 'ERR_CALLER_CERTIFICATE', kind: 'connection' })
    t.like(audited, { caller: { trigger: 'mtls', source: '127.0.0.1' } })
    t.true(line.includes(`refused: ${String(audited?.['reason'])}`))
    t.deepEqual(more, [])
  })

for (const [what, shown, reason] of [
  ['with two URIs', shows(ams3, many), 'ERR_SVID_URI_MANY'],
  ['without a URI', shows(ams3, withoutUri), 'ERR_SVID_URI_NONE'],
  ['of a trust domain that has no bundle', shows(fra1, elsewhere), 'ERR_BUNDLE_UNKNOWN'],
  ['of an authority that was withdrawn', shows(former), 'ERR_CHAIN_UNTRUSTED'],
  [
    'of a trust domain alone',
    shows(ams3, { extensions: { names: names({ uris: ['spiffe://ams3.example'] }) } }),
    'ERR_SVID_PATH',
  ],
  [
    'that is an authority',
    shows(ams3, { extensions: { basic: authority(), usage: usage(0) } }),
    'ERR_SVID_CA',
  ],
  [
    'with a path of dots',
    shows(ams3, { extensions: { names: names({ uris: ['spiffe://ams3.example/a/../b'] }) } }),
    'ERR_SPIFFE_ID_SEGMENT_DOTS',
  ],
] as const)
  test(`what TLS lets in and SPIFFE does not is told the rule: a certificate ${what}`, async (t) => {
    await using apart = await open()
    const { status, error, headers } = await ask(apart, shown)
    t.is(status, 401)
    t.regex(
      error ?? '',
      new RegExp(`^ERR_CALLER_CERTIFICATE: certificate of the caller is refused: ${reason}: `),
    )
    t.is(headers['connection'], 'close')
    t.like(apart.audited[0], {
      verdict: 'refused',
      rule: 'ERR_CALLER_CERTIFICATE',
      reason,
      caller: { trigger: 'mtls', source: '127.0.0.1' },
    })
  })

test('a connection that is open when its certificate ends is closed', async (t) => {
  const shown = shows(ams3, { notAfterMs: Date.now() + 1_500 })
  const socket = await dialed(listener, shown)
  await once(socket.resume(), 'close')
  const lateMs = Date.now() - parseCertificate(shown.leaf.der).notAfterMs
  t.true(lateMs >= 0 && lateMs < 1_000, `${lateMs} ms late`)
  await t.throwsAsync(ask(listener, shown))
})

test('a request on an open connection is refused when its certificate is over by the clock', async (t) => {
  let ahead = 0
  await using apart = await open(() => Date.now() + ahead)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const shown = shows(ams3)
  t.is((await ask(apart, shown, { agent })).status, 200)
  ahead = dayMs
  const { status, error } = await ask(apart, shown, { agent })
  t.is(status, 401)
  t.regex(error ?? '', /ERR_CERTIFICATE_EXPIRED: certificate of spiffe:.*ended .*, this clock says/)
  agent.destroy()
})

test('whose authority is withdrawn is cut off, and stays out', async (t) => {
  await using apart = await open()
  const [gone, stays] = [shows(ams3), shows(sfo2, sfo2sId())]
  // Older, so it is the first that would be closed for asking nothing more.
  const others = await asking(apart, stays)
  const theirs = await asking(apart, gone)
  const closed = once(theirs.resume(), 'close')
  apart.trust(trustOf({ 'ams3.example': [former], 'sfo2.example': [sfo2] }))
  await closed
  t.false(others.closed || others.readableEnded)
  t.regex((await ask(apart, gone)).error ?? '', /ERR_CHAIN_UNTRUSTED/)
  t.is((await ask(apart, shows(former))).status, 200)
  others.destroy()
})

const sfo2sId = () => ({ extensions: { names: names({ uris: ['spiffe://sfo2.example/x'] }) } })

test('no session is resumed: each connection shows its certificate anew', async (t) => {
  await using apart = await open()
  const shown = shows(ams3)
  const sessions = await sessionsOf(apart, shown)
  t.true(sessions.length > 0)
  for (const session of sessions) {
    const again = await dialed(apart, shown, { session })
    t.false(again.isSessionReused())
    again.destroy()
  }
})

test('a session that begins with a certificate is not taken without one', async (t) => {
  await using apart = await open()
  const sessions = await sessionsOf(apart, shows(ams3))
  const session = sessions.at(-1)
  t.is((await ask(apart, undefined, { session }).catch(() => ({ status: 0 }))).status, 0)
})

test('a renewed certificate is shown to the next caller, and an open connection stays', async (t) => {
  await using apart = await open()
  const before = await dialed(apart, shows(ams3))
  const { extensions } = {
    extensions: {
      names: names({ uris: ['spiffe://ams3.example/function/identity'], ips: ['127.0.0.1'] }),
    },
  }
  const next = shows(ams3, { extensions })
  apart.show(pemsOf(next))
  const after = await dialed(apart, shows(ams3))
  t.true(after.getPeerCertificate().raw.equals(next.leaf.der))
  t.false(before.destroyed)
  before.destroy()
  after.destroy()
})

test('nothing is heard over TLS 1.2', async (t) => {
  await t.throwsAsync(ask(listener, shows(ams3), { maxVersion: 'TLSv1.2' }))
})
