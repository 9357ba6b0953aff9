// Decides and signs like the function; the answer is the bare JWT, for everybody to read.
import { decideAccess } from '../../core/access/decision.ts'
import { issueCredential, type RoleSigner } from '../../core/access/issue.ts'
import { serveVariant } from './serve-variant.ts'

await serveVariant(({ trust, door, nowMs, audit }) => ({ bytes, caller }) => {
  const current = trust()
  const grant = decideAccess(bytes, { ...current, door, nowMs: nowMs() })
  const user = issueCredential(grant, current.signers.get(grant.role.name) as RoleSigner)
  audit.granted(caller, { grant, nkey: grant.nkey, credential: user.claims })
  return { isGranted: true, body: JSON.stringify({ jwt: user.text }) }
})
