// The credential by which a region's monitor asks the servers for their figures: signed in the region, for one
// connection.
import type { Creds } from '../core/trust/creds.ts'
import { monitorSeconds } from '../core/trust/lifetime.ts'
import type { Nkey } from '../core/trust/nkey.ts'
import { signUser } from '../core/trust/user.ts'
import type { Files } from './files.ts'
import { makeNkeyPair, requireKey } from './key-file.ts'
import { monitorSigningKey } from './key-paths.ts'

export interface MonitorPlace {
  readonly files: Files
  /** The folder of its key. */
  readonly home: string
}

/** Of a new user, whose key lives only in memory. Refuses where there is no signing key. */
export function mintMonitor(
  { files, home }: MonitorPlace,
  { region, account }: { readonly region: string; readonly account: Nkey<'account'> },
  nowSeconds: number,
): Creds {
  const signer = requireKey(files, 'account', monitorSigningKey(home))
  const pair = makeNkeyPair('user')
  const user = signUser(signer, {
    publicKey: pair.publicKey,
    name: `monitor-${region}`,
    account,
    issuedAtSeconds: nowSeconds,
    expiresAtSeconds: nowSeconds + monitorSeconds,
  })
  return { user, pair }
}
