// Who vouches for workloads, and which of them become what.
import * as z from 'zod'
import { broken, list, text } from './terms.ts'
import { isWorkloadId } from './workload-id.ts'

export const issuerKinds = ['kubernetes', 'oidc', 'jwt-svid'] as const
export type IssuerKind = (typeof issuerKinds)[number]

const printable = /^[\x21-\x7e]{1,256}$/
const illegalPath = broken('illegal path', 'below the folder of archipelago.yaml, such as a/b.json')

export const issuerSchema = z.strictObject({
  issuer: text(printable, broken('illegal issuer')).describe(
    'The exact `iss` of its tokens; of jwt-svid the trust domain, `spiffe://<trust domain>`.',
  ),
  kind: z
    .enum(issuerKinds, broken('unknown kind', `one of ${issuerKinds.join(', ')}`))
    .describe('kubernetes: tokens of service accounts; oidc; jwt-svid: of a trust domain.'),
  jwks: text(/^(?!.*\.\.)\w[\w./-]{0,200}$/, illegalPath).describe(
    'Its public keys, a JWK set in a file beside archipelago.yaml.',
  ),
  regions: list(z.string(broken('must be the name of a region')), { min: 1, max: 16 })
    .optional()
    .describe(
      'Whose functions believe it (default: all). Every cluster may call itself https://kubernetes.default.svc.',
    ),
})

const illegalSubject = broken('illegal subject', 'exact: no wildcards')
const shape = 'must be issuer and subject, or spiffeId alone'

export const identityEntrySchema = z
  .strictObject({
    issuer: z.string(broken('must be the name of an issuer')).optional(),
    subject: text(printable, illegalSubject)
      .refine((subject) => !subject.includes('*'), illegalSubject)
      .optional()
      .describe('The exact `sub`, such as system:serviceaccount:<namespace>:<name>.'),
    audience: text(/^(?!.*:nkey:)[\x21-\x7e]{1,256}$/, broken('illegal audience'))
      .optional()
      .describe(
        'Also take tokens for this audience alone. Such a token is good for whoever reads it: without it a token has to name the nkey.',
      ),
    spiffeId: z
      .string(broken('illegal SPIFFE ID'))
      .refine(isWorkloadId, broken('illegal SPIFFE ID', 'spiffe://<trust domain>/<path>'))
      .optional()
      .describe('By mTLS with its certificate (X.509-SVID), or by JWT-SVID.'),
  })
  .refine(isOneKind, { message: shape })

interface Entry {
  readonly issuer?: unknown
  readonly subject?: unknown
  readonly audience?: unknown
  readonly spiffeId?: unknown
}

function isOneKind({ issuer, subject, audience, spiffeId }: Entry): boolean {
  const isToken = issuer !== undefined && subject !== undefined && spiffeId === undefined
  const isSpiffe = spiffeId !== undefined && (issuer ?? subject ?? audience) === undefined
  return isToken || isSpiffe
}
