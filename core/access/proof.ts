// Proof of possession: the requestor's signature over everything that it asks for, so that whoever
// carries the request can neither change it nor use it for a key of his own.
import { isSignedBy, isSignedByAsync, signWith, type Nkey, type NkeyPair } from '../trust/nkey.ts'

/** What is asked; times are Unix milliseconds, the curve key is a raw X25519 key in base64url. */
export interface ProofClaims {
  /** The operator whose network is asked. */
  readonly audience: string
  readonly door: string
  readonly nkey: string
  readonly curve: string
  readonly role: string
  /** Left out where a token says who asks. */
  readonly name?: string
  readonly time: number
  readonly nonce: string
  /** SHA-256 of the token that is exchanged, in base64url: with another token the proof is void. */
  readonly token?: string
}
/** Which key signs for what: each signature is good for one purpose. */
export type ProofPurpose = 'access' | 'renewal' | 'invite' | 'exchange'

/**
 * The bytes that travel are the bytes that are signed: base64url of the claims' JSON, in this order
 * and without spaces. There is one text for each proof: a function refuses every other spelling.
 */
export function encodeProof(claims: ProofClaims): string {
  const { audience, door, nkey, curve, role, name, time, nonce, token } = claims
  const ordered = { audience, door, nkey, curve, role, name, time, nonce, token }
  return Buffer.from(JSON.stringify(ordered)).toString('base64url')
}

/** Base64url of the Ed25519 signature over a proof. */
export function signProof(pair: NkeyPair<'user'>, proof: string, purpose: ProofPurpose): string {
  return Buffer.from(signWith(pair, signedBytes(proof, purpose))).toString('base64url')
}

/** A proof as it came, and what its signature is to be good for. */
export interface SignedProof {
  readonly proof: string
  readonly signature: string
  readonly purpose: ProofPurpose
}

export function isProofBy(key: Nkey<'user'>, { proof, signature, purpose }: SignedProof): boolean {
  return isSignedBy(key, signedBytes(proof, purpose), Buffer.from(signature, 'base64url'))
}

/** The same, found out by another thread. */
export function isProofByAsync(
  key: Nkey<'user'>,
  { proof, signature, purpose }: SignedProof,
): Promise<boolean> {
  return isSignedByAsync(key, signedBytes(proof, purpose), Buffer.from(signature, 'base64url'))
}

/** A server's connection nonce has no zero byte, so none can be made to pass for a proof. */
function signedBytes(proof: string, purpose: ProofPurpose): Buffer {
  return Buffer.from(`archipelago-${purpose}-v1\0${proof}`)
}
