// A token exchange as it is asked (RFC 8693 section 2.1): a form, by whatever way it came.
import { Refusal } from '../errors.ts'
import { quote } from '../quote.ts'
import { parseForm, single, type Form } from './form.ts'
import { isSignature, parseExchangeProof, type ParsedProof } from './request.ts'

/** A token may have 16 KiB. */
export const exchangeBytesMax = 20 * 1024

export const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
/** The certificate of the connection itself: the token is its SHA-256 (`x5t#S256`, RFC 8705 section 3.1). */
export const certificateType = 'urn:archipelago:params:oauth:token-type:x509-svid'
const tokenTypes = [jwtType, 'urn:ietf:params:oauth:token-type:id_token', certificateType] as const
/** Parameters of our own: the proof of the nkey for which the credential is, and its signature. */
export const proofParameter = 'nkey_proof'
export const signatureParameter = 'nkey_proof_signature'

export interface ExchangeRequest {
  readonly subjectToken: string
  readonly subjectTokenType: (typeof tokenTypes)[number]
  /** As it was signed. */
  readonly proof: string
  readonly signature: string
  readonly claims: ParsedProof & { readonly token: string }
}

/**
 * Refuses what is not one well-formed exchange for a user JWT of this network. Parameters that it does
 * not know are passed over (RFC 6749 section 3.2); who is who is the decision's work.
 */
export function parseExchange(bytes: Uint8Array, network: string): ExchangeRequest {
  if (bytes.length > exchangeBytesMax)
    throw new Refusal('ERR_REQUEST_OVERSIZE', `request: over ${exchangeBytesMax} bytes`)
  const form = parseForm(bytes)
  refuseClientSecret(form)
  requireGrantType(single(form, 'grant_type'))
  refuseActor(form)
  requireTarget(form, network)
  requireRequestedType(single(form, 'requested_token_type'))
  const proof = required(form, proofParameter)
  const signature = required(form, signatureParameter)
  if (!isSignature(signature))
    throw new Refusal('ERR_PROOF_ILLEGAL', `${signatureParameter} is not 64 bytes of base64url`)
  const claims = parseExchangeProof(proof)
  requireScope(single(form, 'scope'), claims.role)
  return { ...requireToken(form), proof, signature, claims }
}

/** There are no clients here, so nobody can prove to be one (RFC 6749 section 5.2, invalid_client). */
function refuseClientSecret(form: Form): void {
  if (form.has('client_secret') || form.has('client_assertion'))
    throw new Refusal('ERR_CLIENT_AUTHENTICATION', 'clients are not authenticated here')
}

function requireGrantType(type: string | undefined): void {
  if (type === undefined) throw new Refusal('ERR_GRANT_MISSING', 'grant_type is missing')
  if (type !== grantType) throw new Refusal('ERR_GRANT_TYPE', `grant_type is not ${grantType}`)
}

function refuseActor(form: Form): void {
  if (form.has('actor_token') || form.has('actor_token_type'))
    throw new Refusal('ERR_TOKEN_ACTOR', 'actor_token: nobody acts for another here')
}

/** Both may stand more than once (RFC 8693 section 2.1), and each has to be what is served here. */
function requireTarget(form: Form, network: string): void {
  if (form.has('resource')) throw new Refusal('ERR_TARGET_UNKNOWN', 'resource: none is known here')
  const other = form.get('audience')?.find((audience) => audience !== network)
  if (other !== undefined)
    throw new Refusal('ERR_TARGET_UNKNOWN', `audience is not ${network}: ${quote(other)}`)
}

function requireRequestedType(type: string = jwtType): void {
  if (type !== jwtType)
    throw new Refusal('ERR_TOKEN_REQUESTED_TYPE', `requested_token_type is not ${jwtType}`)
}

/** A scope is a role: the proof names the one that is wanted. */
function requireScope(scope: string | undefined, role: string): void {
  if (scope !== undefined && scope !== role)
    throw new Refusal('ERR_SCOPE_OTHER', `scope is not the role of the proof: ${quote(scope)}`)
}

function requireToken(form: Form): Pick<ExchangeRequest, 'subjectToken' | 'subjectTokenType'> {
  const subjectToken = required(form, 'subject_token')
  const type = required(form, 'subject_token_type')
  const subjectTokenType = tokenTypes.find((known) => known === type)
  if (subjectTokenType === undefined)
    throw new Refusal('ERR_TOKEN_TYPE', `subject_token_type is none of ${tokenTypes.join(', ')}`)
  return { subjectToken, subjectTokenType }
}

function required(form: Form, name: string): string {
  const value = single(form, name)
  if (value === undefined) throw new Refusal('ERR_TOKEN_MISSING', `${name} is missing`)
  return value
}
