// The credential with which a region's leafnode dials out: signed in the region, by a key that the
// function does not hold, so it renews with the region cut off and after days without power.
import { formatCreds, parseCreds } from '../core/trust/creds.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { signUser } from '../core/trust/user.ts'
import { join } from 'node:path'
import type { Files } from './files.ts'
import { leafnodeHome, type Homes } from './homes.ts'
import { requireKey } from './key-file.ts'
import { leafnodeSigningKey } from './key-paths.ts'

export interface LeafnodeRenewal {
  readonly region: string
  /** The account ACCESS. */
  readonly account: Nkey<'account'>
  readonly lifetimeSeconds: number
}

export function leafnodeCredsFile(homes: Homes, region: string): string {
  return join(leafnodeHome(homes, region), 'leafnode.creds')
}

export interface RenewerPlace {
  /** The folder of the keys, which in a pod can only be read. */
  readonly home: string
  /** The file that the credential is left in. */
  readonly credentials: string
}

/** Where a region has its home: the credential lies beside the keys. */
export const renewerPlace = (homes: Homes, region: string): RenewerPlace => ({
  home: leafnodeHome(homes, region),
  credentials: leafnodeCredsFile(homes, region),
})

/** Writes a new credential unless the present one is as it would be made and not past half of its life. */
export function renewLeafnodeCredential(
  { files, home, credentials: path }: RenewerPlace & { readonly files: Files },
  { region, account, lifetimeSeconds }: LeafnodeRenewal,
  nowSeconds: number,
): { isRenewed: boolean; expiresAtSeconds: number } {
  const signer = requireKey(files, 'account', leafnodeSigningKey(home).current)
  const present = readPresent(files, path)
  const { iss, iat = 0, exp = 0 } = present ?? {}
  // The watcher would cut one that was made for longer than is allowed by now.
  const isAllowed = iss === signer.publicKey && exp - iat <= lifetimeSeconds
  if (isAllowed && exp - nowSeconds > lifetimeSeconds / 2)
    return { isRenewed: false, expiresAtSeconds: exp }
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
