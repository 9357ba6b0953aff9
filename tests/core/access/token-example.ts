// An archipelago whose workloads come with tokens: two clusters under one name, each believed in its
// own region, an OIDC issuer, a trust domain.
import { makeTokenIssuer } from './token-issuer.ts'

export const ams3Cluster = makeTokenIssuer('ams3-key')
export const sfo2Cluster = makeTokenIssuer('sfo2-key')
export const builds = makeTokenIssuer('builds-key', 'ES256')
export const mesh = makeTokenIssuer('mesh-key', 'ES256')

/** Beside archipelago.yaml, by name. */
export const keyFiles: Readonly<Record<string, string>> = {
  'ams3.jwks.json': ams3Cluster.jwks,
  'sfo2.jwks.json': sfo2Cluster.jwks,
  'builds.jwks.json': builds.jwks,
  'mesh.bundle.json': JSON.stringify({ keys: [{ ...mesh.jwk, use: 'jwt-svid' }] }),
}

const issuers = `
issuers:
  ams3-cluster:
    kind: kubernetes
    issuer: https://kubernetes.default.svc.cluster.local
    jwks: ams3.jwks.json
    regions: [ams3]
  sfo2-cluster:
    kind: kubernetes
    issuer: https://kubernetes.default.svc.cluster.local
    jwks: sfo2.jwks.json
    regions: [sfo2]
  builds:
    kind: oidc
    issuer: https://builds.example
    jwks: builds.jwks.json
  mesh:
    kind: jwt-svid
    issuer: spiffe://mesh.example
    jwks: mesh.bundle.json
`

const role = (name: string, ...identities: string[]) => `
  ${name}:
    account: KUBECON
    doors: [identity]
${name === 'builder' ? '    outside: true\n' : ''}    identity:
${identities.map((identity) => `      - { ${identity} }`).join('\n')}
    lifetime: 15m
    publish: [chat.KUBECON.online]
    subscribe: [chat.KUBECON.online]
    subscriptionsMax: 8
    payloadBytesMax: 4096
`

const account = (issuer: string, name: string) =>
  `issuer: ${issuer}, subject: 'system:serviceaccount:shop:${name}'`

/**
 * `projected` comes with a token for a fixed audience, all others with one that names their nkey; `builder`
 * has no certificate of the network.
 */
const roles = [
  role('orders', account('ams3-cluster', 'orders'), account('sfo2-cluster', 'orders')),
  role('projected', `${account('ams3-cluster', 'projected')}, audience: archipelago`),
  role('builder', `issuer: builds, subject: 'repo:shop/site:ref:refs/heads/main'`),
  role('meshed', 'spiffeId: spiffe://mesh.example/shop/orders'),
].join('')

export const withTokens = (yaml: string) =>
  `${yaml.replace('\nroles:\n', () => `\nroles:${roles}`)}${issuers}`
