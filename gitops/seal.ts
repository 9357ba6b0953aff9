// Secrets sealed to one cluster's key, as Sealed Secrets 0.36 reads them (pkg/crypto: HybridEncrypt): RSA-OAEP
// with SHA-256 around a key of AES-256-GCM. Strict scope: the label binds a value to its namespace and name.
import {
  constants,
  createCipheriv,
  publicEncrypt,
  randomBytes,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import { Refusal } from '../core/errors.ts'
import type { Manifest } from './manifest.ts'

export interface SealedSecret extends Manifest {
  readonly spec: {
    readonly encryptedData: Readonly<Record<string, string>>
    readonly template: object
  }
}

export interface Sealing {
  readonly namespace: string
  readonly name: string
  /** Why it has to travel: said in git, where its value is not. */
  readonly purpose: string
  readonly values: ReadonlyMap<string, Uint8Array>
}

export const purposeAnnotation = 'archipelago.example/purpose'

/** The key of a sealing certificate that is good now; refuses any other. */
export function sealingKey(pem: string, nowMs: number): KeyObject {
  const { publicKey, validFrom, validTo } = parseCertificate(pem)
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (publicKey.asymmetricKeyType !== 'rsa' || bits < 2048)
    throw new Refusal('ERR_SEALING_CERTIFICATE', 'not of an RSA key of 2048 bits or more')
  if (nowMs < Date.parse(validFrom) || nowMs > Date.parse(validTo))
    throw new Refusal('ERR_SEALING_CERTIFICATE', `good from ${validFrom} until ${validTo} only`)
  return publicKey
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    const what = 'not a certificate, as kubeseal --fetch-cert prints it'
    throw new Refusal('ERR_SEALING_CERTIFICATE', what)
  }
}

export function sealSecret(key: KeyObject, sealing: Sealing): SealedSecret {
  const { namespace, name, purpose, values } = sealing
  const sealed = [...values].map(([field, value]) => [field, sealValue(key, value, sealing)])
  return {
    apiVersion: 'bitnami.com/v1alpha1',
    kind: 'SealedSecret',
    metadata: { name, namespace, annotations: { [purposeAnnotation]: purpose } },
    spec: {
      encryptedData: Object.fromEntries(sealed) as Record<string, string>,
      template: { metadata: { name, namespace }, type: 'Opaque' },
    },
  }
}

const keyBytes = 32
const nonceBytes = 12

function sealValue(
  key: KeyObject,
  value: Uint8Array,
  { namespace, name }: Pick<Sealing, 'namespace' | 'name'>,
): string {
  const session = randomBytes(keyBytes)
  const oaepLabel = Buffer.from(`${namespace}/${name}`)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const wrapped = publicEncrypt({ key, padding, oaepHash: 'sha256', oaepLabel }, session)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(wrapped.length)
  // A nonce of zeros: each key seals one value.
  const cipher = createCipheriv('aes-256-gcm', session, Buffer.alloc(nonceBytes))
  const body = [cipher.update(value), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat([length, wrapped, ...body]).toString('base64')
}
