// The provisioning function: whoever asks, by whatever trigger, comes through here. It keeps no
// state but the trust it was given: any replica in any region can answer.
import { considerAccess } from '../core/access/decision.ts'
import { requireNotWithdrawn } from '../core/access/denial.ts'
import { issueCredential, sealCredential, type RoleSigner } from '../core/access/issue.ts'
import { decideLegacy, formatLegacyRefusal, issueLegacyCreds } from '../core/access/legacy.ts'
import { oauthError } from '../core/access/oauth-error.ts'
import { considerRenewal } from '../core/access/renewal.ts'
import { readAsked } from '../core/access/request.ts'
import { answerRefusal, type RefusalAnswer } from '../core/access/status.ts'
import type { Role } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import type { FunctionDoor } from '../core/network/access-subject.ts'
import type { FunctionTrust } from '../store/function-trust.ts'
import { makeNkeyTexts } from '../store/key-file.ts'
import type { Audit, Caller } from './provisioning/audit.ts'
import { otherThreads, thisThread } from './provisioning/labour.ts'

export interface Provisioning {
  readonly region: string
  readonly door: FunctionDoor
  /** Read for every request, so that newer trust takes effect at once. */
  readonly trust: () => FunctionTrust
  readonly nowMs: () => number
  readonly audit: Audit
}
export interface ProvisioningRequest {
  readonly kind: 'access' | 'renewal' | 'exchange' | 'sealed-exchange'
  readonly bytes: Uint8Array
  readonly caller: Caller
  /** Nobody else waits for an answer. */
  readonly isAlone?: boolean
}
/** `body` is what the requestor gets, by every trigger the same. */
export type ProvisioningAnswer =
  | { readonly isGranted: true; readonly body: string }
  | { readonly isGranted: false; readonly refusal: RefusalAnswer; readonly body: string }

/** Decides, signs and seals, or refuses; either way one audit line. Never rejects. */
export async function provisionCredential(
  request: ProvisioningRequest,
  provisioning: Provisioning,
): Promise<ProvisioningAnswer> {
  const { audit, door } = provisioning
  try {
    const grantIt = door === 'legacy' ? grantLegacy : grantSealed
    return { isGranted: true, body: await grantIt(request, provisioning) }
  } catch (error) {
    const { kind, bytes, caller } = request
    const refusal = answerRefusal(error)
    const asked = door === 'legacy' ? {} : readAsked(bytes)
    audit.refused(caller, { refusal, error, kind, asked })
    return refuse(refusal, door, asked.nonce)
  }
}

/** An answer to a request that was not even read. */
export function refuseUnread(error: unknown, door: FunctionDoor): ProvisioningAnswer {
  return refuse(answerRefusal(error), door)
}

/** In the words of the door that was asked. */
export function refuse(
  refusal: RefusalAnswer,
  door: FunctionDoor,
  nonce?: string,
): ProvisioningAnswer {
  if (door === 'legacy')
    return { isGranted: false, refusal, body: formatLegacyRefusal(refusal.message) }
  if (door !== 'identity')
    return { isGranted: false, refusal, body: JSON.stringify({ ...refusal, nonce }) }
  const { status, error, description } = oauthError(refusal)
  const body = { error, error_description: description, ...refusal, status, nonce }
  return { isGranted: false, refusal: { ...refusal, status }, body: JSON.stringify(body) }
}

async function grantSealed(
  { kind, bytes, caller, isAlone }: ProvisioningRequest,
  from: Provisioning,
): Promise<string> {
  const { region, door, trust, nowMs, audit } = from
  const current = trust()
  requireNotWithdrawn(current.denyList, caller.identity?.id)
  const context = { ...current, door, nowMs: nowMs() }
  const considered =
    kind === 'access'
      ? considerAccess(bytes, context)
      : considerRenewal(bytes, context, caller.nkey)
  const labour = isAlone ? thisThread : otherThreads
  const grant = await labour.requireSigned(considered)
  const signer = requireSigner(current, grant.role)
  const encapsulating = labour.encapsulate(grant.curve)
  const user = issueCredential(grant, signer)
  const { account } = signer
  const encapsulated = await encapsulating
  const sealed = sealCredential(grant, { user, account, region, encapsulated })
  audit.granted(caller, { kind, grant, nkey: grant.nkey, credential: user.claims })
  // Base64url has nothing to escape: JSON.stringify would look through 8 kB for it.
  return `{"sealed":"${sealed}"}`
}

/** A creds file with its seed, made here: see core/access/legacy.ts. */
function grantLegacy({ kind, bytes, caller }: ProvisioningRequest, from: Provisioning): string {
  const { region, door, trust, nowMs, audit } = from
  if (kind !== 'access') throw new Refusal('ERR_RENEWAL_ILLEGAL', 'renewal: not at the door legacy')
  const current = trust()
  const grant = decideLegacy(bytes, { ...current, door, nowMs: nowMs() })
  const pair = makeNkeyTexts('user')
  const signer = requireSigner(current, grant.role)
  const { user, creds } = issueLegacyCreds(grant, { pair, signer, region })
  audit.granted(caller, { kind, grant, nkey: pair.publicKey, credential: user.claims })
  return creds
}

export function requireSigner({ signers }: FunctionTrust, role: Role): RoleSigner {
  const signer = signers.get(role.name)
  if (signer === undefined) throw new Refusal('ERR_KEY_NOT_HERE', `no signing key of ${role.name}`)
  return signer
}
