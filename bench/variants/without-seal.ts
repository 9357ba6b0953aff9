// Decides and signs like the function; the answer is the bare JWT, for everybody to read.
import { considerAccess } from '../../core/access/decision.ts'
import { issueCredential, type RoleSigner } from '../../core/access/issue.ts'
import { otherThreads } from '../../functions/provisioning/labour.ts'
import { serveVariant } from './serve-variant.ts'

void serveVariant(({ trust, door, nowMs, audit }) => async ({ bytes, caller }) => {
  const current = trust()
  const considered = considerAccess(bytes, { ...current, door, nowMs: nowMs() })
  const grant = await otherThreads.requireSigned(considered)
  const user = issueCredential(grant, current.signers.get(grant.role.name) as RoleSigner)
  audit.granted(caller, { kind: 'access', grant, nkey: grant.nkey, credential: user.claims })
  return { isGranted: true, body: JSON.stringify({ jwt: user.text }) }
})
