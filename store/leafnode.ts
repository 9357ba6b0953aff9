// The credential with which a region's leafnode dials out: signed in the region, by a key that the
// function does not hold, so it renews with the region cut off and after days without power.
import { formatCreds, parseCreds } from '../core/trust/creds.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { signUser } from '../core/trust/user.ts'
import { join } from 'node:path'
import type { Files } from './files.ts'
import { leafnodeHome, type Homes } from './homes.ts'
import { requireKey } from './key-file.ts'
import { leafnodeSigningKey } from './region.ts'

export interface LeafnodeRenewal {
  readonly region: string
  /** The account ACCESS. */
  readonly account: Nkey<'account'>
  readonly lifetimeSeconds: number
}

export function leafnodeCredsFile(homes: Homes, region: string): string {
  return join(leafnodeHome(homes, region), 'leafnode.creds')
}

/** Writes a new credential unless the present one has more than half of its life before it. */
export function renewLeafnodeCredential(
  { files, homes }: { files: Files; homes: Homes },
  { region, account, lifetimeSeconds }: LeafnodeRenewal,
  nowSeconds: number,
): { isRenewed: boolean; expiresAtSeconds: number } {
  const home = leafnodeHome(homes, region)
  const signer = requireKey(files, 'account', leafnodeSigningKey(home).current)
  const path = leafnodeCredsFile(homes, region)
  const present = readPresent(files, path)
  const isKept =
    present?.iss === signer.publicKey && (present.exp ?? 0) - nowSeconds > lifetimeSeconds / 2
  if (isKept) return { isRenewed: false, expiresAtSeconds: present.exp ?? 0 }
  const pair = requireKey(files, 'user', join(home, 'user.nk'))
  const expiresAtSeconds = nowSeconds + lifetimeSeconds
  const user = signUser(signer, {
    publicKey: pair.publicKey,
    name: `leafnode-${region}`,
    account,
    issuedAtSeconds: nowSeconds,
    expiresAtSeconds,
  })
  files.write(path, formatCreds(user.text, pair.seed))
  return { isRenewed: true, expiresAtSeconds }
}

/** A spoilt file is like none: it is written anew. */
function readPresent(files: Files, path: string) {
  const text = files.read(path)
  try {
    return text === undefined ? undefined : parseCreds(text).user.claims
  } catch {
    return undefined
  }
}
