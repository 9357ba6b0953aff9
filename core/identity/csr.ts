// Certificate requests (PKCS #10, RFC 2986). Whoever asks proves a key and nothing else: names and
// extensions of a request are not even read, for the record says who it is.
import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto'
import { Refusal, type RefusalCode } from '../errors.ts'
import {
  contextTag,
  derTag,
  encodeDer,
  encodeObjectId,
  readBytes,
  readDer,
  readInside,
  readObjectId,
} from './der.ts'
import { formatPem, parseOnePem } from './pem.ts'

const hashes = new Map([
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
])
const curves: readonly unknown[] = ['prime256v1', 'secp384r1']
const charactersMax = 16 * 1024

/** The public key, P-256 or P-384, after its holder's signature was verified. */
export function readCsr(pem: string): KeyObject {
  if (pem.length > charactersMax)
    throw refusal('ERR_CSR_OVERSIZE', `over ${charactersMax} characters`)
  const [info, algorithm, signature, ...more] = readInside(
    readDer(parseOnePem('CERTIFICATE REQUEST', pem)),
  )
  if (info === undefined || more.length > 0) throw refusal('ERR_CSR_ILLEGAL', 'not three parts')
  const [, , spki] = readInside(info)
  const key = importKey(spki?.bytes)
  const hash = hashes.get(readObjectId(readInside(algorithm)[0]))
  if (hash === undefined) throw refusal('ERR_CSR_ALGORITHM', 'not ECDSA with SHA-256 or 384')
  if (!verify(hash, info.bytes, key, readBytes(signature)))
    throw refusal('ERR_CSR_SIGNATURE', 'not signed by the key that it names')
  return key
}

/** As `readCsr`; where `expected` is named, the `keySha256` of its holder, refuses another key. */
export function readExpectedCsr(pem: string, expected: string | undefined): KeyObject {
  const key = readCsr(pem)
  const found = keySha256(key)
  if (expected !== undefined && expected !== found)
    throw new Refusal('ERR_CSR_OTHER_KEY', `request is for the key ${found}, not ${expected}`)
  return key
}

/** SHA-256 of a public key in DER: for people to compare, before anybody signs what came to them. */
export const keySha256 = (key: KeyObject): string =>
  hash('sha256', key.export({ format: 'der', type: 'spki' }))

function importKey(spki: Buffer | undefined): KeyObject {
  const key = tryImport(spki ?? Buffer.alloc(0))
  if (!curves.includes(key?.asymmetricKeyDetails?.namedCurve) || key === undefined)
    throw refusal('ERR_CSR_KEY', 'key is not P-256 or P-384')
  return key
}

function tryImport(spki: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

/** A request for the certificate of a private key, P-256; without a name, for none would be read. */
export function requestCertificate(key: KeyObject): string {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const info = encodeDer(
    derTag.sequence,
    encodeDer(derTag.integer, Buffer.from([0])),
    encodeDer(derTag.sequence),
    spki,
    encodeDer(contextTag(0, true)),
  )
  const algorithm = encodeDer(derTag.sequence, encodeObjectId('1.2.840.10045.4.3.2'))
  const signature = encodeDer(derTag.bitString, Buffer.from([0]), sign('sha256', info, key))
  return formatPem('CERTIFICATE REQUEST', encodeDer(derTag.sequence, info, algorithm, signature))
}

const refusal = (code: RefusalCode, what: string) =>
  new Refusal(code, `illegal certificate request: ${what}`)
