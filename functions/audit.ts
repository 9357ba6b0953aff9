// One line of JSON for each decision: who, what, verdict, by which rule. Never a secret.
import type { Grant } from '../core/access/decision.ts'
import type { RefusalAnswer } from '../core/access/status.ts'
import type { FunctionDoor } from '../core/network/access-subject.ts'
import type { UserJwt } from '../core/trust/user.ts'

/** Who asks, as far as it is known: over NATS the word of the requestor's server, not more. */
export interface Caller {
  readonly trigger: 'nats' | 'https' | 'framework' | 'command' | 'self'
  /** The connection or address: what requests are counted by. */
  readonly source: string
  /** The user nkey of the connection. */
  readonly nkey?: string
  readonly server?: string
}
export interface Audit {
  granted(caller: Caller, grant: Grant, user: UserJwt): void
  refused(caller: Caller, refused: Refused): void
}
/** As much of a refused request as could be read. */
export interface Asked {
  readonly role?: string
  readonly name?: string
  readonly nkey?: string
  readonly nonce?: string
}
export interface Refused {
  readonly refusal: RefusalAnswer
  readonly error: unknown
  readonly kind: string
  readonly asked: Asked
}

export function openAudit(
  { region, door }: { region: string; door: FunctionDoor },
  write: (line: string) => void,
): Audit {
  const put = (line: object): void => {
    write(JSON.stringify({ time: new Date().toISOString(), region, door, ...line }))
  }
  return {
    granted(caller, { rule, role, name, nkey, ticketId }, { claims }) {
      const credential = { id: claims.jti, expires: claims.exp, issuer: claims.iss }
      const ticket = ticketId === undefined ? {} : { ticket: ticketId }
      put({ caller, verdict: 'granted', rule, role: role.name, name, nkey, ...ticket, credential })
    },
    refused(caller, { refusal, error, kind, asked }) {
      const { role, name, nkey } = asked
      const { code } = refusal
      // What tells the requestor nothing must tell the operator something.
      const cause = code === 'ERR_INTERNAL' ? { cause: String(error) } : {}
      put({ caller, verdict: 'refused', rule: code, kind, role, name, nkey, ...cause })
    },
  }
}
