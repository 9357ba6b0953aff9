// The function that exchanges tokens (RFC 8693): who proves what workload it is, by a token or by the
// certificate of its connection, gets the credential of its role for a key of its own.
import { requireNotWithdrawn } from '../core/access/denial.ts'
import { considerExchange } from '../core/access/exchange.ts'
import { jwtType, parseExchange } from '../core/access/exchange-request.ts'
import { issueCredential, sealCredential } from '../core/access/issue.ts'
import { readAskedForm } from '../core/access/asked-form.ts'
import { openExchange } from '../core/access/sealed-exchange.ts'
import { answerRefusal } from '../core/access/status.ts'
import { Refusal } from '../core/errors.ts'
import type { AccountJwt } from '../core/trust/account.ts'
import type { UserJwt } from '../core/trust/user.ts'
import {
  refuse,
  requireSigner,
  type Provisioning,
  type ProvisioningAnswer,
  type ProvisioningRequest,
} from './provision-credentials.ts'
import { otherThreads, thisThread } from './provisioning/labour.ts'

/** Decides and signs, or refuses; either way one audit line, in which there is no token. Never rejects. */
export async function exchangeToken(
  request: ProvisioningRequest,
  provisioning: Provisioning,
): Promise<ProvisioningAnswer> {
  const { audit, door } = provisioning
  const { kind, caller } = request
  let form: Uint8Array | undefined
  try {
    form = kind === 'exchange' ? request.bytes : openSealed(request, provisioning)
    return { isGranted: true, body: await grantToken(form, request, provisioning) }
  } catch (error) {
    const refusal = answerRefusal(error)
    const asked = form === undefined ? {} : readAskedForm(form)
    audit.refused(caller, { refusal, error, kind, asked })
    return refuse(refusal, door, asked.nonce)
  }
}

function openSealed({ bytes }: ProvisioningRequest, { region, trust }: Provisioning): Uint8Array {
  const { tokenKey: key } = trust()
  if (key === undefined) throw new Refusal('ERR_KEY_NOT_HERE', 'no key for sealed tokens')
  return openExchange(bytes, { region, key })
}

async function grantToken(
  form: Uint8Array,
  { kind, caller, isAlone }: ProvisioningRequest,
  { region, door, trust, nowMs, audit }: Provisioning,
): Promise<string> {
  const current = trust()
  requireNotWithdrawn(current.denyList, caller.identity?.id)
  const now = nowMs()
  const exchange = parseExchange(form, current.archipelago.network)
  const context = { ...current, door, region, nowMs: now, identity: caller.identity }
  const considered = considerExchange(exchange, context)
  const labour = isAlone ? thisThread : otherThreads
  const grant = await labour.requireSigned(considered)
  const signer = requireSigner(current, grant.role)
  const user = issueCredential(grant, signer)
  const { account } = signer
  audit.granted(caller, { kind, grant, nkey: grant.nkey, credential: user.claims })
  if (kind === 'exchange')
    return formatAnswer(user, { account, region, scope: grant.role.name }, now)
  return `{"sealed":"${sealCredential(grant, { user, account, region })}"}`
}

/** RFC 8693 section 2.2.1. With the account's JWT, by which its holder can check the credential. */
function formatAnswer(
  { text, claims }: UserJwt,
  { account, region, scope }: { account: AccountJwt; region: string; scope: string },
  nowMs: number,
): string {
  return JSON.stringify({
    access_token: text,
    issued_token_type: jwtType,
    // Not to be sent with a request, as a bearer token would be: it is used with its nkey's signature.
    token_type: 'N_A',
    expires_in: Math.floor((claims.exp ?? 0) - nowMs / 1000),
    // The role, for whoever asked without naming it as the scope.
    scope,
    account: account.text,
    region,
  })
}
