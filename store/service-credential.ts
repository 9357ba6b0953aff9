// Credentials of the operator's own users: minted when they are needed, so that none lies around.
import { formatCreds, parseCreds, type Creds } from '../core/trust/creds.ts'
import { serviceUsers, type ServiceUser } from '../core/trust/declare.ts'
import { serviceLifetimeSeconds } from '../core/trust/lifetime.ts'
import type { Nkey, NkeyPair } from '../core/trust/nkey.ts'
import { signUser } from '../core/trust/user.ts'
import { Refusal } from '../core/errors.ts'
import { makeNkeyPair, writeKey } from './key-file.ts'
import { credsFile, keyFile, useKey, userFile } from './nsc.ts'
import type { OperatorHome } from './operator.ts'

/**
 * A credential for one of the operator's users, which lives only in memory; for a new key, unless one
 * is renewed, for a connection keeps its inbox and with it its key.
 */
export function mintServiceCreds(
  home: Pick<OperatorHome, 'store' | 'accounts'>,
  user: ServiceUser,
  options: { nowSeconds: number; pair?: NkeyPair<'user'> | undefined },
): Creds {
  const { nowSeconds, pair = makeNkeyPair('user') } = options
  return signServiceCreds(home, user, { nowSeconds, pair })
}

function signServiceCreds(
  { store, accounts }: Pick<OperatorHome, 'store' | 'accounts'>,
  user: ServiceUser,
  { nowSeconds, pair }: { nowSeconds: number; pair: NkeyPair<'user'> },
): Creds {
  const accountName = serviceUsers[user].account
  const account = accounts.find(({ claims }) => claims.name === accountName)
  const scope = account?.claims.nats.signing_keys.find(({ role }) => role === user)
  if (account === undefined || scope === undefined)
    throw new Refusal('ERR_KEY_NOT_HERE', `no signing key of ${user} in account ${accountName}`)
  const jwt = signUser(useKey(store, 'account', scope.key), {
    publicKey: pair.publicKey,
    name: user,
    account: account.claims.sub as Nkey<'account'>,
    issuedAtSeconds: nowSeconds,
    expiresAtSeconds: nowSeconds + serviceLifetimeSeconds[user],
  })
  return { user: jwt, pair }
}

/** Keeps a creds file of each service user whose credential is public. */
export function keepPublicCreds(
  home: Pick<OperatorHome, 'store' | 'accounts'>,
  nowSeconds: number,
) {
  const keys = home.accounts.flatMap(({ claims }) => claims.nats.signing_keys)
  for (const user of ['lobby', 'legacy-requestor'] as const)
    if (keys.some(({ role }) => role === user)) keepServiceCreds(home, user, nowSeconds)
}

/** The same as a creds file in the operator's store, signed anew when half of its life is over. */
export function keepServiceCreds(
  home: Pick<OperatorHome, 'store' | 'accounts'>,
  user: ServiceUser,
  nowSeconds: number,
): string {
  const { files } = home.store
  const account = serviceUsers[user].account
  const path = credsFile(home.store, account, user)
  const text = files.read(path)
  const kept = text === undefined ? undefined : parseCreds(text)
  const isFresh = (kept?.user.claims.exp ?? 0) - nowSeconds > serviceLifetimeSeconds[user] / 2
  const isPublished = home.accounts.some(({ claims }) =>
    claims.nats.signing_keys.some(({ key }) => key === kept?.user.claims.iss),
  )
  if (isFresh && isPublished) return path
  const pair = kept?.pair ?? makeNkeyPair('user')
  const { user: jwt } = signServiceCreds(home, user, { nowSeconds, pair })
  files.write(path, formatCreds(jwt.text, pair.seed))
  // A user without its key makes `nats auth` crash (0.4.0).
  writeKey(files, keyFile(home.store, pair.publicKey), pair)
  files.write(userFile(home.store, account, user), jwt.text)
  return path
}
