// Writes what core/access/audit-line.ts describes.
import type { AuditLine, GrantedLine, RefusedLine } from '../../core/access/audit-line.ts'
import type { Grant } from '../../core/access/decision.ts'
import type { LegacyGrant } from '../../core/access/legacy.ts'
import type { Asked } from '../../core/access/request.ts'
import { answerRefusal, type RefusalAnswer } from '../../core/access/status.ts'
import { Refusal } from '../../core/errors.ts'
import type { SpiffeId } from '../../core/identity/spiffe-id.ts'
import type { FunctionDoor } from '../../core/network/access-subject.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import { openSums } from './sum-up.ts'

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
  /** Its number on that server. */
  readonly connection?: number
  readonly identity?: CallerIdentity
}
/** Disposed, it writes what it still holds back. */
export interface Audit extends Disposable {
  granted(caller: Caller, granted: Granted): void
  refused(caller: Caller, refused: Refused): void
  /** Of a request that was not read: repeated by the same caller, one line stands for many. */
  unread(caller: Caller, refused: Unread): void
}
export interface Granted {
  readonly kind: AuditLine['kind']
  readonly grant: Grant | LegacyGrant
  readonly nkey: Nkey<'user'>
  /** What was signed: Unix seconds, and the key that signed. */
  readonly credential: { readonly jti: string; readonly exp?: number; readonly iss: string }
}
export interface Refused {
  readonly refusal: RefusalAnswer
  readonly error: unknown
  readonly kind: AuditLine['kind']
  readonly asked: Asked
}
export interface Unread {
  readonly error: unknown
  readonly kind: AuditLine['kind']
  /** Where the rule below is none of ours: OpenSSL's name for it. */
  readonly reason?: string
}

/** What a function asks itself every second is left out, for it would drown all others. */
export function openAudit(
  { region, door }: { region: string; door: FunctionDoor },
  write: (line: string) => void,
): Audit {
  const put = (caller: Caller, line: Rest<GrantedLine> | Rest<RefusedLine>): void => {
    if (caller.trigger === 'self') return
    const whole = { time: new Date().toISOString(), region, door, caller, ...line }
    write(JSON.stringify(whole satisfies AuditLine))
  }
  const sums = openSums<{ caller: Caller; line: Rest<RefusedLine> }>({
    put: ({ caller, line }, times) => put(caller, { ...line, ...(times > 1 && { times }) }),
    ofOthers: ({ caller: { trigger }, line }) => ({ caller: { trigger, source: 'others' }, line }),
  })
  return {
    granted(caller, { kind, grant, nkey, credential: { jti: id, exp: expires = 0, iss: issuer } }) {
      const { rule, role, name } = grant
      const what = { rule, kind, role: role.name, name, nkey, ...origin(grant) }
      put(caller, { verdict: 'granted', ...what, credential: { id, expires, issuer } })
    },
    refused(caller, { refusal, error, kind, asked }) {
      put(caller, {
        ...{ verdict: 'refused', rule: refusal.code, kind },
        ...whoAsked(asked),
        ...whyRefused(refusal, error),
      })
    },
    unread(caller, { error, kind, reason }) {
      const refusal = answerRefusal(error)
      const why = { ...whyRefused(refusal, error), ...(reason && { reason }) }
      const line = { verdict: 'refused', rule: refusal.code, kind, ...why } as const
      const who = caller.identity?.id ?? caller.source
      sums.add({ caller, line }, { who, what: `${kind} ${line.rule} ${why.reason ?? ''}` })
    },
    [Symbol.dispose]: () => sums[Symbol.dispose](),
  }
}

type Rest<Line extends AuditLine> = Omit<Line, 'time' | 'region' | 'door' | 'caller'>

/** What no role can be called is left out: it may be a secret that was put in the wrong place. */
const roleName = /^[a-z][a-z0-9-]{0,31}$/

/** Without what is empty: nobody said anything by it. */
function whoAsked({ role = '', name, nkey }: Asked) {
  return { ...(roleName.test(role) && { role }), ...(name && { name }), ...(nkey && { nkey }) }
}

/** What tells the requestor nothing must tell the operator something. */
function whyRefused({ code }: RefusalAnswer, error: unknown) {
  if (code === 'ERR_INTERNAL') return { cause: String(error) }
  const { cause } = Object(error) as { cause?: unknown }
  return cause instanceof Refusal ? { reason: cause.code } : {}
}

function origin(grant: Grant | LegacyGrant) {
  if (grant.rule === 'legacy') return { warning: 'a seed made here was sent over the wire' }
  const { ticketId: ticket, renewed, entry } = grant
  return { ...(entry && { entry }), ...(ticket && { ticket }), ...(renewed && { renewed }) }
}
