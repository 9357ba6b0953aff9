// The regions' renewers: each keeps the credential of its leafnode fresh, and asks nobody for it.
import type { Archipelago } from '../../core/archipelago.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import type { Files } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { keepRenewed } from '../../store/keep-renewed.ts'
import { renewLeafnodeCredential, renewerPlace } from '../../store/leafnode.ts'
import type { OperatorHome } from '../../store/operator.ts'
import { nowSeconds } from './now.ts'

export interface Leafnodes {
  readonly files: Files
  readonly homes: Homes
  readonly archipelago: Archipelago
  readonly operator: Pick<OperatorHome, 'accounts'>
}

/** Makes what is missing, past half of its life, or of another key. */
export function renewLeafnodes({ files, homes, archipelago, operator }: Leafnodes): void {
  const access = operator.accounts.find(({ claims }) => claims.name === 'ACCESS')
  const account = access?.claims.sub as Nkey<'account'>
  const { lifetimeSeconds } = archipelago.leafnode
  for (const { name: region } of archipelago.regions)
    renewLeafnodeCredential(
      { files, ...renewerPlace(homes, region) },
      { region, account, lifetimeSeconds },
      nowSeconds(),
    )
}

/** Renews until disposed; a failure is reported and tried again. */
export function keepLeafnodesRenewed(
  current: () => Leafnodes,
  report: (line: string) => void,
): Disposable {
  return keepRenewed(() => renewLeafnodes(current()), {
    what: 'the credential of a leafnode',
    lifetimeSeconds: () => current().archipelago.leafnode.lifetimeSeconds,
    report,
  })
}
