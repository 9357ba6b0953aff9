// The ConfigMap `region-authority`, in which git brings a region what the operator signed for it: PEM, by kind.
import type { AnyKind } from '../identity/authority.ts'

export const regionAuthorityName = 'region-authority'

/** Its authorities, the newest first. */
export const authorityKey = (kind: AnyKind): string =>
  kind === 'identity' ? 'region.pem' : `${kind}.pem`

export const rootsKey = (kind: AnyKind): string =>
  kind === 'identity' ? 'roots.pem' : `${kind}-roots.pem`
