// What each mesh's authority may name, asked of those who verify it: with a limit taken out the same leaf is taken.
import { randomBytes } from 'node:crypto'
import test from 'ava'
import { parseArchipelago } from '../../../core/archipelago.ts'
import { authorityProfile } from '../../../core/identity/authority.ts'
import { formatCertificates, parseCertificate } from '../../../core/identity/certificate.ts'
import { verifyChain } from '../../../core/identity/chain.ts'
import { contextTag, encodeDer } from '../../../core/identity/der.ts'
import { extensionId } from '../../../core/identity/extensions.ts'
import { issueAuthority, issueRoot, type Issuer } from '../../../core/identity/issue.ts'
import { meshes, type Mesh } from '../../../core/identity/mesh.ts'
import type { Subtrees } from '../../../core/identity/name-constraints.ts'
import { makeAuthorityKey } from '../../../store/authority-keys.ts'
import { good } from '../archipelago/example.ts'
import { temporaryFolder } from '../../temporary-folder.ts'
import { forgeLeaf, names, sequence } from './forge.ts'
import { askGo, askOpenssl } from './mesh/verifiers.ts'

const archipelago = parseArchipelago(good, 'archipelago.yaml')
const nowMs = Date.now()
const purposes = ['serverAuth', 'clientAuth'] as const
const codes = { uris: 'ERR_CHAIN_NAME_URI', dns: 'ERR_CHAIN_NAME_DNS', ips: 'ERR_CHAIN_NAME_IP' }

interface Names {
  readonly uris?: string[]
  readonly dns?: string[]
  readonly ips?: string[]
}
interface Foreign {
  readonly what: string
  readonly limit: keyof Subtrees
  readonly names: Names
}

const spiffe = (region: string, path: string) => `spiffe://${region}.archipelago.example/${path}`
const linkerd = 'serviceaccount.identity.linkerd.cluster.local'
const istiod = spiffe('ams3', 'ns/istio-system/sa/istiod')

/** Names that the mesh gives its workloads and itself, and such as it must not. */
const expected: Record<
  Mesh,
  { readonly own: readonly Names[]; readonly foreign: readonly Foreign[] }
> = {
  istio: {
    own: [
      { uris: [istiod] },
      { dns: ['istiod.istio-system.svc', 'istiod-remote.istio-system.svc'] },
    ],
    foreign: [
      {
        what: 'a workload of another region',
        limit: 'uris',
        names: { uris: [spiffe('sfo2', 'ns/istio-system/sa/istiod')] },
      },
      {
        what: 'a server of this region by its DNS name',
        limit: 'dns',
        names: { uris: [istiod], dns: ['ams3-0.ams3.archipelago.example'] },
      },
      {
        what: 'the API server by its address',
        limit: 'ips',
        names: { uris: [istiod], ips: ['10.96.0.1'] },
      },
    ],
  },
  linkerd: {
    own: [{ dns: [`linkerd-identity.linkerd.${linkerd}`] }, { dns: [`web.shop.${linkerd}`] }],
    foreign: [
      {
        what: 'a server of this region by its DNS name',
        limit: 'dns',
        names: { dns: ['ams3-0.ams3.archipelago.example'] },
      },
      {
        what: 'a service of the cluster',
        limit: 'dns',
        names: { dns: ['kubernetes.default.svc.cluster.local'] },
      },
      {
        what: 'an address',
        limit: 'ips',
        names: { dns: [`web.shop.${linkerd}`], ips: ['10.96.0.1'] },
      },
    ],
  },
  osm: {
    own: [
      { dns: ['web.shop.ams3.archipelago.example'] },
      { dns: ['osm-injector.osm-system.svc'] },
      { dns: ['ads.ams3.archipelago.example'], uris: [spiffe('ams3', 'web/shop')] },
    ],
    foreign: [
      {
        what: 'a workload of another region',
        limit: 'dns',
        names: { dns: ['web.shop.sfo2.archipelago.example'] },
      },
      {
        what: 'a workload of another region by its URI',
        limit: 'uris',
        names: {
          dns: ['web.shop.ams3.archipelago.example'],
          uris: [spiffe('sfo2', 'web/shop')],
        },
      },
      {
        what: 'an address',
        limit: 'ips',
        names: { dns: ['web.shop.ams3.archipelago.example'], ips: ['10.96.0.1'] },
      },
    ],
  },
}

const issuance = (commonName: string) => ({
  ...{ commonName, nowMs, lifetimeSeconds: 3600, serial: randomBytes(16) },
})

async function makeRoot(mesh: Mesh): Promise<Issuer> {
  const pair = makeAuthorityKey()
  return { certificate: await issueRoot(pair, issuance(`${mesh} root`)), key: pair.privateKey }
}

async function makeAuthority(
  mesh: Mesh,
  issuer: Issuer,
  without?: keyof Subtrees,
): Promise<Issuer> {
  const profile = authorityProfile(archipelago, {
    ...{ region: 'ams3', kind: mesh, placement: 'distributed' },
  })
  const { permitted, excluded } = profile.nameConstraints
  const free = without === undefined ? {} : { [without]: [] }
  const nameConstraints = {
    permitted: { ...permitted, ...free },
    excluded: { ...excluded, ...free },
  }
  const pair = makeAuthorityKey()
  const certificate = await issueAuthority(
    pair.publicKey,
    { ...profile, nameConstraints },
    { ...issuance(`ams3 ${mesh}`), issuer },
  )
  return { certificate, key: pair.privateKey }
}

function mint({ certificate, key }: Issuer, of: Names) {
  const { der, subject, subjectKey = '' } = certificate
  const pair = { privateKey: key, publicKey: certificate.openssl.publicKey }
  const authorityKey = {
    ...{ id: extensionId.authorityKey, isCritical: false },
    value: sequence(encodeDer(contextTag(0), Buffer.from(subjectKey, 'hex'))),
  }
  const made = forgeLeaf(
    { der, subject: Buffer.from(subject), pair },
    {
      notBeforeMs: nowMs - 60_000,
      notAfterMs: nowMs + 600_000,
      extensions: { names: names(of), authorityKey },
    },
  )
  return [parseCertificate(made.der), certificate] as const
}

for (const mesh of meshes)
  test(`${mesh}: its own names are taken by all who verify, foreign ones by none, or once a limit is out`, async (t) => {
    const root = await makeRoot(mesh)
    const authority = await makeAuthority(mesh, root)
    const { own, foreign } = expected[mesh]
    const open = await Promise.all(
      foreign.map(async ({ what, limit, names: of }) => {
        const chain = mint(await makeAuthority(mesh, root, limit), of)
        return { what: `${what}, without the limit on ${limit}`, chain, limit: undefined }
      }),
    )
    const cases = [
      ...own.map((of) => ({
        ...{ what: JSON.stringify(of), chain: mint(authority, of), limit: undefined },
      })),
      ...foreign.map(({ what, limit, names: of }) => ({
        ...{ what, limit, chain: mint(authority, of) },
      })),
      ...open,
    ]
    const roots = formatCertificates([root.certificate])
    const questions = cases.map(({ chain }) => ({ roots, chain: formatCertificates(chain) }))
    const go = await askGo(questions)
    for (const [index, { what, chain, limit }] of cases.entries()) {
      const openssl = await askOpenssl(
        temporaryFolder(t),
        questions[index] as (typeof questions)[0],
      )
      const verify = () => verifyChain(chain, [root.certificate], { nowMs, purposes })
      if (limit === undefined) {
        t.deepEqual({ go: go[index], openssl }, { go: '', openssl: '' }, what)
        t.is(verify().length, 3, what)
      } else {
        t.regex(go[index] ?? '', /not authorized to sign for this name/, what)
        t.regex(openssl, /(permitted|excluded) subtree violation/, what)
        t.throws(verify, { code: codes[limit] }, what)
      }
    }
  })

test('nothing limits the URIs of Linkerd’s authority, which is why it has a root of its own', async (t) => {
  const root = await makeRoot('linkerd')
  const chain = mint(await makeAuthority('linkerd', root), {
    uris: [spiffe('sgp1', 'nats/server')],
  })
  t.is(verifyChain(chain, [root.certificate], { nowMs, purposes }).length, 3)
})
