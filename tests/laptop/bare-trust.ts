// An operator and three accounts made by NATS' own library, and users that may do what a test needs.
import { randomBytes } from 'node:crypto'
import {
  createAccount,
  createOperator,
  encodeAccount,
  encodeOperator,
  type KeyPair,
} from '@nats-io/jwt'
import type { NetworkTrust } from '../../core/network/server.ts'
import { monitorCeiling } from '../../core/trust/ceiling.ts'
import { type Creds, formatCreds, parseCreds } from '../../core/trust/creds.ts'
import { encodeJwt } from '../../core/trust/jwt.ts'
import { nkeyPairFrom, parseSeed, type NkeyPair } from '../../core/trust/nkey.ts'

export interface BareTrust {
  readonly network: NetworkTrust
  /** Sees. */
  readonly observer: Creds
  /** Sees, and changes. */
  readonly pusher: Creds
  /** Of another account. */
  readonly member: Creds
  /** Of the account in which functions answer. */
  readonly leafnode: Creds
  /** Signs users of the system account who may do what monitors of regions may. */
  readonly monitor: NkeyPair<'account'>
  /** Signs accounts. */
  readonly operator: KeyPair
  /** The account of the member. */
  readonly lobby: KeyPair
}

export async function makeBareTrust(): Promise<BareTrust> {
  const [operator, signing] = [createOperator(), createOperator()]
  const [sys, access, lobby] = [createAccount(), createAccount(), createAccount()]
  const monitor = nkeyPairFrom('account', randomBytes(32))
  const scope = { kind: 'user_scope', role: 'monitor.ams3', template: monitorCeiling }
  const network: NetworkTrust = {
    operatorJwt: await encodeOperator('archipelago', operator, {
      signing_keys: [signing.getPublicKey()],
      system_account: sys.getPublicKey(),
    }),
    systemAccount: sys.getPublicKey(),
    accounts: await Promise.all([
      signAccount('SYS', sys, signing, [{ ...scope, key: monitor.publicKey }]),
      signAccount('ACCESS', access, signing),
      signAccount('LOBBY', lobby, signing),
    ]),
  }
  return {
    ...{ network, monitor, operator: signing, lobby },
    observer: makeUser('observer', sys, { pub: { allow: ['$SYS.REQ.SERVER.PING.*'] } }),
    pusher: makeUser('pusher', sys),
    member: makeUser('member', lobby),
    leafnode: makeUser('leafnode', access),
  }
}

const all = { conn: -1, leaf: -1, subs: -1, data: -1, payload: -1, imports: -1, exports: -1 }

/** An account without limits. */
export async function signAccount(
  name: string,
  account: KeyPair,
  signer: KeyPair,
  scopes: readonly object[] = [],
) {
  const limits = { ...all, wildcards: true }
  const keys = scopes.length > 0 && { signing_keys: [...scopes] as never[] }
  const jwt = await encodeAccount(name, account, { limits, ...keys }, { signer })
  return { publicKey: account.getPublicKey(), jwt }
}

function makeUser(name: string, account: KeyPair, permissions: object = {}): Creds {
  const issuer = parseSeed('account', new TextDecoder().decode(account.getSeed()))
  const { publicKey: sub, seed } = nkeyPairFrom('user', randomBytes(32))
  const limits = { subs: -1, data: -1, payload: -1 }
  const nats = { type: 'user', version: 2, ...limits, ...permissions }
  const iat = Math.floor(Date.now() / 1000)
  return parseCreds(formatCreds(encodeJwt({ name, sub, iat, nats }, issuer).text, seed))
}

export const credsText = ({ user, pair }: Creds) => formatCreds(user.text, pair.seed)
