// What a requestor may send: parsed once, bounded, each fault with a code of its own.
import { decodeBase64url } from '../base64url.ts'
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import { isNkey, type Nkey } from '../trust/nkey.ts'
import { parseCurveKey, type CurveKey } from './curve-key.ts'
import { parseName } from './name.ts'
import { encodeProof, type ProofClaims } from './proof.ts'

export const requestBytesMax = 4096
const roleCharactersMax = 32

export interface AccessRequest {
  /** As it was signed. */
  readonly proof: string
  readonly signature: string
  readonly claims: NamedProof
  /** The invite's ticket and the signature of its key over the same proof. */
  readonly ticket?: string
  readonly ticketSignature?: string
  /** The credential that is to be renewed. */
  readonly jwt?: string
}
export interface ParsedProof extends ProofClaims {
  readonly nkey: Nkey<'user'>
  readonly curve: CurveKey
}
interface NamedProof extends ParsedProof {
  readonly name: string
}

/**
 * Refuses what is not one well-formed request in its one spelling; whether the signatures are good
 * is the decision's work.
 */
export function parseRequest(bytes: Uint8Array): AccessRequest {
  if (bytes.length > requestBytesMax)
    throw new Refusal(
      'ERR_REQUEST_OVERSIZE',
      `request: ${bytes.length} bytes, ${requestBytesMax} at most`,
    )
  const fields = requireFields(bytes)
  const { proof, signature, ticketSignature } = fields
  if (proof === undefined) throw new Refusal('ERR_PROOF_ILLEGAL', 'request has no proof')
  if (signature === undefined) throw new Refusal('ERR_PROOF_ILLEGAL', 'request has no signature')
  if (!isSignature(signature))
    throw new Refusal('ERR_PROOF_ILLEGAL', 'signature is not 64 bytes of base64url')
  if (ticketSignature !== undefined && !isSignature(ticketSignature))
    throw illegal('ticketSignature is not 64 bytes of base64url')
  return { ...fields, proof, signature, claims: parseProof(proof) }
}

type Field = 'proof' | 'signature' | 'ticket' | 'ticketSignature' | 'jwt'
const known: ReadonlySet<string> = new Set<Field>([
  'proof',
  'signature',
  'ticket',
  'ticketSignature',
  'jwt',
])

function requireFields(bytes: Uint8Array): Partial<Record<Field, string>> {
  const { text, value } = parseObject(bytes, 'ERR_REQUEST_NOT_JSON')
  const entries = Object.entries(value)
  for (const [field, content] of entries) {
    if (!known.has(field)) throw illegal(`unknown field: ${quote(field)}`)
    if (typeof content !== 'string') throw illegal(`${field} is not text`)
    if (!/^[\w.-]*$/.test(content)) throw illegal(`${field} is not base64url`)
  }
  // JSON.parse takes the last of two: whoever reads the first would read another request.
  if (text.split('"').length - 1 !== 4 * entries.length) throw illegal('a field stands twice')
  return value
}

/** The bytes of one signature have sixteen spellings in lenient base64url: only one is taken. */
export function isSignature(text: string): boolean {
  return decodeBase64url(text)?.length === 64
}

function parseProof(proof: string): NamedProof {
  const value = decodeProof(proof)
  const name = parseName(value['name'])
  return requireSpelling({ ...parseClaims(value), name }, proof)
}

/** Of a token's exchange: it names the token, and not its holder. */
export function parseExchangeProof(proof: string): ParsedProof & { readonly token: string } {
  const value = decodeProof(proof)
  const { token } = value
  if (typeof token !== 'string' || !/^[\w-]{43}$/.test(token))
    throw new Refusal('ERR_PROOF_ILLEGAL', 'proof: token is not a SHA-256 in base64url')
  return requireSpelling({ ...parseClaims(value), token }, proof)
}

function decodeProof(proof: string): Record<string, unknown> {
  return parseObject(Buffer.from(proof, 'base64url'), 'ERR_PROOF_ILLEGAL').value
}

function requireSpelling<Claims extends ParsedProof>(claims: Claims, proof: string): Claims {
  if (encodeProof(claims) === proof) return claims
  throw new Refusal('ERR_PROOF_ILLEGAL', 'proof: not the one spelling of its claims')
}

function parseClaims(value: Record<string, unknown>): ParsedProof {
  const { audience, door, role, nkey, curve, time, nonce } = value
  if (typeof role !== 'string' || role === '')
    throw new Refusal('ERR_ROLE_UNKNOWN', 'no role is asked for')
  if (role.length > roleCharactersMax)
    throw new Refusal('ERR_ROLE_UNKNOWN', `unknown role: ${quote(role)}`)
  if (curve === undefined)
    throw new Refusal('ERR_CURVE_MISSING', 'no curve key to which the answer can be sealed')
  if (typeof nkey !== 'string' || !isNkey('user', nkey))
    throw new Refusal('ERR_PROOF_ILLEGAL', `proof: nkey is not a user's`)
  if (typeof audience !== 'string' || typeof door !== 'string')
    throw new Refusal('ERR_PROOF_ILLEGAL', 'proof: audience or door is not text')
  if (!Number.isSafeInteger(time))
    throw new Refusal('ERR_PROOF_ILLEGAL', 'proof: time is not whole')
  if (typeof nonce !== 'string' || !isNonce(nonce))
    throw new Refusal('ERR_PROOF_ILLEGAL', 'proof: nonce is not 16 to 64 characters of base64url')
  return {
    audience,
    door,
    role,
    nkey,
    curve: parseCurveKey(typeof curve === 'string' ? curve : ''),
    time: time as number,
    nonce,
  }
}

function isNonce(text: string): boolean {
  return /^[\w-]{16,64}$/.test(text)
}

/** As much of a request as can be read of one that was refused: bounded, and not to be trusted. */
export interface Asked {
  readonly role?: string
  readonly name?: string
  readonly nkey?: string
  /** By which a requestor knows that a refusal is to its own request. */
  readonly nonce?: string
}

/** Never throws. */
export function readAsked(bytes: Uint8Array): Asked {
  if (bytes.length > requestBytesMax) return {}
  try {
    return readAskedProof(parseObject(bytes, 'ERR_REQUEST_NOT_JSON').value['proof'])
  } catch {
    return {}
  }
}

/** The same of its proof. */
export function readAskedProof(proof: unknown): Asked {
  try {
    const { role, name, nkey, nonce } = typeof proof === 'string' ? decodeProof(proof) : {}
    return {
      ...(typeof role === 'string' && { role: role.slice(0, roleCharactersMax) }),
      ...(typeof name === 'string' && { name: name.slice(0, 64) }),
      ...(typeof nkey === 'string' && isNkey('user', nkey) && { nkey }),
      ...(typeof nonce === 'string' && isNonce(nonce) && { nonce }),
    }
  } catch {
    return {}
  }
}

function parseObject(
  bytes: Uint8Array,
  code: 'ERR_REQUEST_NOT_JSON' | 'ERR_PROOF_ILLEGAL',
): { text: string; value: Record<string, unknown> } {
  try {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { text, value: value as Record<string, unknown> }
  } catch {
    // The parser's own error would repeat what was sent.
    throw new Refusal(code, `${subjects[code]} is not JSON in UTF-8`)
  }
  throw new Refusal(code, `${subjects[code]} is not a JSON object`)
}

// A byte order mark would be a second spelling, and is not JSON.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const subjects = { ERR_REQUEST_NOT_JSON: 'request', ERR_PROOF_ILLEGAL: 'proof' }

function illegal(message: string): Refusal {
  return new Refusal('ERR_REQUEST_ILLEGAL', `illegal request: ${message}`)
}
