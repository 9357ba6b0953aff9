// One line of JSON for each decision of a function, at every door the same: who asked, what for, the
// verdict, by which rule. No field holds a secret.
import * as z from 'zod'
import { functionDoors } from '../network/access-subject.ts'

const text = z.string().min(1)
const unixSeconds = z.int().positive()

const identity = z.strictObject({
  /** A SPIFFE ID. */
  id: text,
  /** Of the leaf's DER, base64url: `x5t#S256` of RFC 8705. */
  sha256: text,
  notAfterMs: z.int().positive(),
})

/**
 * By `mtls` an identity that the function has verified itself; by `nats` the word of the requestor's
 * server, which every server of the mesh could give; by `https` an address.
 */
const caller = z.strictObject({
  trigger: z.enum(['nats', 'https', 'mtls', 'framework', 'command', 'self']),
  /** What requests are counted by: a connection, or an address; `others` where too many were refused. */
  source: text,
  /** The user nkey that the connection has proved to its server. */
  nkey: text.optional(),
  server: text.optional(),
  /** Its number on that server. */
  connection: z.int().optional(),
  identity: identity.optional(),
})

const decision = z.strictObject({
  time: z.iso.datetime(),
  region: text,
  door: z.enum(functionDoors),
  caller,
  kind: z.enum(['access', 'renewal', 'exchange', 'sealed-exchange', 'connection']),
})

const granted = decision.extend({
  verdict: z.literal('granted'),
  /** The door, or `renewal`. */
  rule: text,
  role: text,
  name: text,
  nkey: text,
  /** Where in archipelago.yaml the workload stands. */
  entry: text.optional(),
  /** Of the invite. */
  ticket: text.optional(),
  /** The credential that this one follows. */
  renewed: z.strictObject({ id: text, issuer: text }).optional(),
  warning: text.optional(),
  /** The `jti` of the user JWT, its end, and the public key that signed it. */
  credential: z.strictObject({ id: text, expires: unixSeconds, issuer: text }),
})

const refused = decision.extend({
  verdict: z.literal('refused'),
  /** The code of the rule that stood in the way. */
  rule: z.string().regex(/^ERR_[A-Z_]+$/),
  /** What it says of itself, as far as it could be read; nothing of it is proved. */
  role: text.optional(),
  name: text.optional(),
  nkey: text.optional(),
  /** Where one rule stands for many: which of them it was. */
  reason: text.optional(),
  /** Where the same was refused again and again without being read: how many this line stands for. */
  times: z.int().min(2).optional(),
  /** Of ERR_INTERNAL, which tells the requestor nothing. */
  cause: text.optional(),
})

export const auditLine = z.discriminatedUnion('verdict', [granted, refused])
export type AuditLine = z.infer<typeof auditLine>
export type GrantedLine = z.infer<typeof granted>
export type RefusedLine = z.infer<typeof refused>
