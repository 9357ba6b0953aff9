// Issuers of tokens: a cluster as kube-apiserver signs for its service accounts, and whatever else a
// test wants to have signed.
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

type Algorithm = 'RS256' | 'ES256'

export interface TokenIssuer {
  readonly kid: string
  readonly publicKey: KeyObject
  readonly jwk: Record<string, unknown>
  /** The JWK set as `kubectl get --raw /openid/v1/jwks` prints it. */
  readonly jwks: string
  sign(claims: object, header?: object): string
}

export function makeTokenIssuer(kid: string, alg: Algorithm = 'RS256'): TokenIssuer {
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { use: 'sig', kid, alg, ...publicKey.export({ format: 'jwk' }) }
  return {
    ...{ kid, publicKey, jwk, jwks: JSON.stringify({ keys: [jwk] }) },
    sign: (claims, header = {}) => {
      const signed = encodeToken({ alg, kid, ...header }, claims)
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
      return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
    },
  }
}

/** Header and claims, without a signature. */
export function encodeToken(header: object, claims: object): string {
  return [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
}

/** The oldest forgery: the public key as the secret of an HMAC. */
export function signWithPublicKey({ kid, publicKey }: TokenIssuer, claims: object): string {
  const signed = encodeToken({ alg: 'HS256', kid }, claims)
  const secret = publicKey.export({ type: 'spki', format: 'pem' })
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

export interface ServiceAccount {
  readonly namespace?: string
  readonly name?: string
}

/** The claims of a bound token, as TokenRequest of Kubernetes 1.30 and later makes them; times are Unix seconds. */
export function serviceAccountClaims(
  of: ServiceAccount & {
    readonly audience: string | readonly string[]
    readonly nowSeconds: number
    readonly lifeSeconds?: number
  },
): Record<string, unknown> {
  const { namespace = 'shop', name = 'orders', audience, nowSeconds, lifeSeconds = 600 } = of
  return {
    aud: typeof audience === 'string' ? [audience] : audience,
    exp: nowSeconds + lifeSeconds,
    iat: nowSeconds,
    iss: clusterIssuer,
    jti: '0f6e6d2e-4f1c-4f0a-9a44-5f6a1c6d0a52',
    'kubernetes.io': {
      namespace,
      node: { name: 'worker-1', uid: '7a0cf3c1-64a5-4d59-9d5f-7b0a3a6b3f10' },
      pod: { name: `${name}-5d9c7`, uid: 'b1f6a9d4-2b57-4f8e-8f0b-3a1f3c8c9c55' },
      serviceaccount: { name, uid: '5c2d3a0e-9f5b-4b7e-8a52-1d8e4f6a7b90' },
    },
    nbf: nowSeconds,
    sub: `system:serviceaccount:${namespace}:${name}`,
  }
}

/** What every cluster of kubeadm calls itself. */
export const clusterIssuer = 'https://kubernetes.default.svc.cluster.local'
