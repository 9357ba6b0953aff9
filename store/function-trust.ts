// What one function process reads: its own keys, and public files.
import type { CurveKeyPair } from '../core/access/curve-key.ts'
import type { RoleSigner } from '../core/access/issue.ts'
import type { Archipelago } from '../core/archipelago.ts'
import { Refusal } from '../core/errors.ts'
import type { FunctionDoor } from '../core/network/access-subject.ts'
import type { AccountJwt } from '../core/trust/account.ts'
import { accountNames } from '../core/trust/declare.ts'
import type { ConfigurationJwt } from '../core/trust/configuration.ts'
import type { DenyList } from '../core/trust/deny-list.ts'
import type { NkeyPair } from '../core/trust/nkey.ts'
import type { OperatorJwt } from '../core/trust/operator.ts'
import { openFiles, type Files } from './files.ts'
import { requireKey } from './key-file.ts'
import { readConfiguration, readOperator, readPublicTrust } from './public.ts'
import { signingKey, tokenKeyFile } from './key-paths.ts'
import { requireTokenKey } from './token-key.ts'

export interface FunctionFolders {
  readonly publicFolder: string
  /** This function's keys, and nobody else's. */
  readonly keysFolder: string
}
export interface FunctionTrust {
  readonly archipelago: Archipelago
  /** Where it comes from. */
  readonly configuration: ConfigurationJwt
  readonly operator: OperatorJwt
  readonly accounts: ReadonlyMap<string, AccountJwt>
  readonly signers: ReadonlyMap<string, RoleSigner>
  readonly denyList: DenyList
  /** At the door identity: opens what is sealed to this region. */
  readonly tokenKey?: CurveKeyPair
}

/** Refuses a signing key that its account does not publish: nobody could use what it signs. */
export function readFunctionTrust(folders: FunctionFolders, door: FunctionDoor): FunctionTrust {
  const { publicFolder, keysFolder } = folders
  const operator = readOperator(publicFolder)
  const configuration = readConfiguration(publicFolder, operator)
  const { archipelago } = configuration.claims.nats
  const trust = readPublicTrust(publicFolder, accountNames(archipelago))
  const files = openFiles()
  const roles = archipelago.roles.filter((role) => role.doors.includes(door))
  const signers = roles.map((role) => {
    const account = trust.accounts.find(({ claims }) => claims.name === role.account) as AccountJwt
    const key = publishedKey(files, { keysFolder, role: role.name, account })
    return [role.name, { key, account }] as const
  })
  return {
    archipelago,
    configuration,
    operator,
    accounts: new Map(trust.accounts.map((account) => [account.claims.sub, account])),
    signers: new Map(signers),
    denyList: trust.denyList,
    ...(door === 'identity' && { tokenKey: requireTokenKey(files, tokenKeyFile(keysFolder)) }),
  }
}

function publishedKey(
  files: Files,
  { keysFolder, role, account }: { keysFolder: string; role: string; account: AccountJwt },
): NkeyPair<'account'> {
  const key = requireKey(files, 'account', signingKey(keysFolder, role).current)
  if (account.claims.nats.signing_keys.some((scope) => scope.key === key.publicKey)) return key
  throw new Refusal(
    'ERR_KEY_UNPUBLISHED',
    `account ${account.claims.name} does not publish the signing key of ${role}: ${key.publicKey}`,
  )
}
