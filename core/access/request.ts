// What a requestor may send: parsed once, bounded, each fault with a code of its own.
import { Refusal } from '../errors.ts'
import { isNkey, type Nkey } from '../trust/nkey.ts'
import { parseCurveKey, type CurveKey } from './hpke.ts'
import type { ProofClaims } from './proof.ts'

export const requestBytesMax = 4096
const nameCharactersMax = 32

export interface AccessRequest {
  /** As it was signed. */
  readonly proof: string
  readonly signature: string
  readonly claims: ParsedProof
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

const fields = new Set(['proof', 'signature', 'ticket', 'ticketSignature', 'jwt'])

/** Refuses what is not one well-formed request; the signatures are the decision's work. */
export function parseRequest(bytes: Uint8Array): AccessRequest {
  if (bytes.length > requestBytesMax)
    throw new Refusal(
      'ERR_REQUEST_OVERSIZE',
      `request: ${bytes.length} bytes, ${requestBytesMax} at most`,
    )
  const request = parseObject(bytes, 'ERR_REQUEST_NOT_JSON')
  for (const [field, value] of Object.entries(request)) {
    if (!fields.has(field)) throw illegal(`unknown field: '${field.slice(0, 32)}'`)
    if (typeof value !== 'string') throw illegal(`${field} is not text`)
  }
  const { proof, signature } = request as Record<string, string>
  if (proof === undefined) throw new Refusal('ERR_PROOF_ILLEGAL', 'request has no proof')
  if (signature === undefined) throw new Refusal('ERR_PROOF_ILLEGAL', 'request has no signature')
  const claims = parseProof(parseObject(Buffer.from(proof, 'base64url'), 'ERR_PROOF_ILLEGAL'))
  return { ...(request as object), proof, signature, claims }
}

function parseProof(claims: Record<string, unknown>): ParsedProof {
  const name = parseName(claims['name'])
  const { audience, door, role, nkey, curve, time, nonce } = claims
  if (typeof role !== 'string' || role === '')
    throw new Refusal('ERR_ROLE_UNKNOWN', 'no role is asked for')
  if (curve === undefined)
    throw new Refusal('ERR_CURVE_MISSING', 'no curve key to which the answer can be sealed')
  if (typeof nkey !== 'string' || !isNkey('user', nkey))
    throw new Refusal('ERR_PROOF_ILLEGAL', `proof: nkey is not a user's`)
  if (!Number.isSafeInteger(time))
    throw new Refusal('ERR_PROOF_ILLEGAL', 'proof: time is not whole')
  if (typeof nonce !== 'string' || !/^[\w-]{16,64}$/.test(nonce))
    throw new Refusal('ERR_PROOF_ILLEGAL', 'proof: nonce is not 16 to 64 characters of base64url')
  return {
    audience: String(audience),
    door: String(door),
    role,
    name,
    nkey,
    curve: parseCurveKey(String(curve)),
    time: time as number,
    nonce,
  }
}

/**
 * A name is a label for people. Refuses what a screen could not show as it is (control, format and
 * unassigned characters), and the wildcards of subjects.
 */
export function parseName(name: unknown): string {
  if (name === undefined || name === '') throw new Refusal('ERR_NAME_MISSING', 'name is missing')
  if (typeof name !== 'string') throw new Refusal('ERR_NAME_ILLEGAL', 'name is not text')
  if ([...name].length > nameCharactersMax)
    throw new Refusal('ERR_NAME_TOO_LONG', `name is over ${nameCharactersMax} characters`)
  if (/[\p{C}\p{Zl}\p{Zp}*>]|^\s|\s$/u.test(name) || name.normalize('NFC') !== name)
    throw new Refusal('ERR_NAME_ILLEGAL', `illegal name: ${JSON.stringify(name)}`)
  return name
}

function parseObject(
  bytes: Uint8Array,
  code: 'ERR_REQUEST_NOT_JSON' | 'ERR_PROOF_ILLEGAL',
): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // The parser's own error would repeat what was sent.
    throw new Refusal(code, `${subjects[code]} is not JSON in UTF-8`)
  }
  throw new Refusal(code, `${subjects[code]} is not a JSON object`)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
const subjects = { ERR_REQUEST_NOT_JSON: 'request', ERR_PROOF_ILLEGAL: 'proof' }

function illegal(message: string): Refusal {
  return new Refusal('ERR_REQUEST_ILLEGAL', `illegal request: ${message}`)
}
