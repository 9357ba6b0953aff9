// One line of JSON for each decision: who, what, verdict, by which rule. Never a secret.
import type { Grant } from '../../core/access/decision.ts'
import type { LegacyGrant } from '../../core/access/legacy.ts'
import type { Asked } from '../../core/access/request.ts'
import type { RefusalAnswer } from '../../core/access/status.ts'
import { Refusal } from '../../core/errors.ts'
import type { SpiffeId } from '../../core/identity/spiffe-id.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import type { Nkey } from '../../core/trust/nkey.ts'

/** The certificate of an mTLS connection, verified as an X.509-SVID. */
export interface CallerIdentity {
  readonly id: SpiffeId
  /** Of the leaf's DER, base64url: `x5t#S256` of RFC 8705. */
  readonly sha256: string
  /** Of the leaf, or of an authority above it that ends before. */
  readonly notAfterMs: number
}
/** Who asks, as far as it is known: over NATS the word of the requestor's server, not more. */
export interface Caller {
  readonly trigger: 'nats' | 'https' | 'mtls' | 'framework' | 'command' | 'self'
  /** The connection or address: what requests are counted by. */
  readonly source: string
  /** The user nkey of the connection. */
  readonly nkey?: string
  readonly server?: string
  readonly identity?: CallerIdentity
}
export interface Audit {
  granted(caller: Caller, granted: Granted): void
  refused(caller: Caller, refused: Refused): void
}
export interface Granted {
  readonly grant: Grant | LegacyGrant
  readonly nkey: Nkey<'user'>
  /** What was signed: Unix seconds, and the key that signed. */
  readonly credential: { readonly jti: string; readonly exp?: number; readonly iss: string }
}
export interface Refused {
  readonly refusal: RefusalAnswer
  readonly error: unknown
  readonly kind: string
  readonly asked: Asked
}

/** What a function asks itself every second is left out, for it would drown all others. */
export function openAudit(
  { region, door }: { region: string; door: FunctionDoor },
  write: (line: string) => void,
): Audit {
  const put = (caller: Caller, line: object): void => {
    if (caller.trigger === 'self') return
    write(JSON.stringify({ time: new Date().toISOString(), region, door, caller, ...line }))
  }
  return {
    granted(caller, { grant, nkey, credential: { jti: id, exp: expires, iss: issuer } }) {
      const { rule, role, name } = grant
      const credential = { id, expires, issuer }
      put(caller, {
        verdict: 'granted',
        rule,
        role: role.name,
        name,
        nkey,
        ...origin(grant),
        credential,
      })
    },
    refused(caller, { refusal, error, kind, asked }) {
      const { role, name, nkey } = asked
      const { code } = refusal
      // What tells the requestor nothing must tell the operator something.
      const cause = code === 'ERR_INTERNAL' ? { cause: String(error) } : {}
      const why = { ...reasonOf(error), ...cause }
      put(caller, { verdict: 'refused', rule: code, kind, role, name, nkey, ...why })
    },
  }
}

/** Where one rule stands for many: which of them it was. */
function reasonOf(error: unknown): { reason?: string } {
  const { cause } = Object(error) as { cause?: unknown }
  return cause instanceof Refusal ? { reason: cause.code } : {}
}

function origin(grant: Grant | LegacyGrant): object {
  if (grant.rule === 'legacy') return { warning: 'a seed made here was sent over the wire' }
  const { ticketId: ticket, renewed, entry } = grant
  return {
    ...(entry !== undefined && { entry }),
    ...(ticket !== undefined && { ticket }),
    ...(renewed !== undefined && { renewed }),
  }
}
