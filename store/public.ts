// The public half of the trust: what git carries and every region reads. Nothing here is secret.
import { join } from 'node:path'
import { parseAccount, type AccountJwt } from '../core/trust/account.ts'
import { parseConfiguration, type ConfigurationJwt } from '../core/trust/configuration.ts'
import { parseDenyList, type DenyList } from '../core/trust/deny-list.ts'
import { parseOperator, type OperatorJwt } from '../core/trust/operator.ts'
import { readIfThere, readOrRefuse } from './files.ts'
import type { Homes } from './homes.ts'

export interface PublicTrust {
  readonly operator: OperatorJwt
  readonly accounts: readonly AccountJwt[]
  readonly denyList: DenyList
}

export const publicFiles = {
  operator: (folder: string): string => join(folder, 'operator.jwt'),
  account: (folder: string, name: string): string => join(folder, 'accounts', `${name}.jwt`),
  denyList: (folder: string): string => join(folder, 'deny-list.jwt'),
  configuration: (folder: string): string => join(folder, 'configuration.jwt'),
  region: (folder: string, region: string): string => join(folder, 'regions', `${region}.json`),
  authority: (folder: string): string => join(folder, 'ca.crt'),
  network: (folder: string, network: string): string => join(folder, `${network}.lobby.json`),
}

/** Reads and checks all of it: every account and the deny list lead to the operator. */
export function readPublicTrust(folder: string, accounts: readonly string[]): PublicTrust {
  const operator = readOperator(folder)
  return {
    operator,
    accounts: accounts.map((name) =>
      parseAccount(readOrRefuse(publicFiles.account(folder, name), 'account JWT'), operator),
    ),
    denyList: readDenyList(folder, operator),
  }
}

/** The root that everything else here has to lead to. */
export function readOperator(folder: string): OperatorJwt {
  return parseOperator(readOrRefuse(publicFiles.operator(folder), 'operator JWT'))
}

export function readConfiguration(folder: string, operator: OperatorJwt): ConfigurationJwt {
  const text = readOrRefuse(publicFiles.configuration(folder), 'configuration')
  return parseConfiguration(text, operator)
}

/** SPIFFE IDs that the deny list has; none before there is one. */
export function readWithdrawn({ public: folder }: Homes): readonly string[] {
  if (readIfThere(publicFiles.denyList(folder)) === undefined) return []
  return readDenyList(folder, readOperator(folder)).claims.nats.identities
}

export function readDenyList(folder: string, operator: OperatorJwt): DenyList {
  return parseDenyList(readOrRefuse(publicFiles.denyList(folder), 'deny list'), operator)
}
