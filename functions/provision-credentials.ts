// The provisioning function: whoever asks, by whatever trigger, comes through here. It keeps no
// state but the trust it was given: any replica in any region can answer.
import { decideAccess, decideRenewal, type Grant } from '../core/access/decision.ts'
import { issueCredential, sealCredential, type RoleSigner } from '../core/access/issue.ts'
import { parseRequest } from '../core/access/request.ts'
import { answerRefusal, type RefusalAnswer } from '../core/access/status.ts'
import { Refusal } from '../core/errors.ts'
import type { FunctionDoor } from '../core/network/access-subject.ts'
import type { FunctionTrust } from '../store/function-trust.ts'
import type { Asked, Audit, Caller } from './audit.ts'

export interface Provisioning {
  readonly region: string
  readonly door: FunctionDoor
  /** Read for every request, so that newer trust takes effect at once. */
  readonly trust: () => FunctionTrust
  readonly nowMs: () => number
  readonly audit: Audit
}
export type ProvisioningKind = 'access' | 'renewal'
export type ProvisioningAnswer =
  | { readonly isGranted: true; readonly body: { readonly sealed: string } }
  | { readonly isGranted: false; readonly refusal: RefusalAnswer; readonly nonce?: string }

/** Decides, signs and seals, or refuses; either way one audit line. Never throws. */
export function provisionCredential(
  { kind, bytes, caller }: { kind: ProvisioningKind; bytes: Uint8Array; caller: Caller },
  provisioning: Provisioning,
): ProvisioningAnswer {
  const { region, door, trust, nowMs, audit } = provisioning
  try {
    const current = trust()
    const context = { ...current, door, nowMs: nowMs() }
    const grant =
      kind === 'access' ? decideAccess(bytes, context) : decideRenewal(bytes, context, caller.nkey)
    const signer = requireSigner(grant, current)
    const user = issueCredential(grant, signer)
    const sealed = sealCredential(grant, { user, account: signer.account, region })
    audit.granted(caller, grant, user)
    return { isGranted: true, body: { sealed } }
  } catch (error) {
    const refusal = answerRefusal(error)
    const asked = describe(bytes)
    audit.refused(caller, { refusal, error, kind, asked })
    return { isGranted: false, refusal, ...(asked.nonce && { nonce: asked.nonce }) }
  }
}

function requireSigner({ role }: Grant, { signers }: FunctionTrust): RoleSigner {
  const signer = signers.get(role.name)
  if (signer === undefined) throw new Refusal('ERR_KEY_NOT_HERE', `no signing key of ${role.name}`)
  return signer
}

/** As much of a refused request as can be read; a requestor knows its refusal by the nonce. */
function describe(bytes: Uint8Array): Asked {
  try {
    const { role, name, nkey, nonce } = parseRequest(bytes).claims
    return { role, name, nkey, nonce }
  } catch {
    return {}
  }
}
