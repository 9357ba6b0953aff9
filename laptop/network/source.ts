import type { Archipelago } from '../../core/archipelago.ts'
import { functionId } from '../../core/identity/names.ts'
import { openDoors } from '../../core/network/access-subject.ts'
import { functionPermissions } from '../../core/network/function-permissions.ts'
import type { FunctionUser } from '../../core/network/leafnode.ts'
import type { NetworkTrust } from '../../core/network/server.ts'
import type { Files } from '../../store/files.ts'
import { functionHome, type Homes } from '../../store/homes.ts'
import { requireKey } from '../../store/key-file.ts'
import type { OperatorHome } from '../../store/operator.ts'
import { functionKeyFile } from '../../store/key-paths.ts'
import { readWithdrawn } from '../../store/public.ts'
import type { NetworkSource } from '../configurations.ts'

interface Trust {
  readonly files: Files
  readonly homes: Homes
  readonly operator: OperatorHome
}

/** What the servers are made from; with the files of a dry run, what they would be made from. */
export function networkSource(archipelago: Archipelago, trust: Trust): NetworkSource {
  const withdrawn = readWithdrawn(trust.homes)
  return {
    archipelago,
    trust: networkTrust(trust.operator),
    doors: openDoors(archipelago.roles),
    access: { account: 'ACCESS', functions: functionUsers(archipelago, trust, withdrawn) },
    withdrawn,
  }
}

function networkTrust({ operator, accounts }: OperatorHome): NetworkTrust {
  return {
    operatorJwt: operator.text,
    systemAccount: operator.claims.nats.system_account,
    accounts: accounts.map(({ text, claims }) => ({ publicKey: claims.sub, jwt: text })),
  }
}

function functionUsers(
  archipelago: Archipelago,
  { files, homes }: Trust,
  withdrawn: readonly string[],
): Map<string, FunctionUser[]> {
  const users = archipelago.regions.map(({ name: region }) => {
    const open = openDoors(archipelago.roles).filter(
      (door) => !withdrawn.includes(functionId(archipelago, { region, door })),
    )
    const ofRegion = open.map((door) => {
      const pair = requireKey(files, 'user', functionKeyFile(functionHome(homes, region, door)))
      const nkey = pair.publicKey
      return { publicKey: nkey, ...functionPermissions(door, { region, nkey }) }
    })
    return [region, ofRegion] as const
  })
  return new Map(users)
}
