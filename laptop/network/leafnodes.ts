// The regions' renewers: each keeps the credential of its leafnode fresh, and asks nobody for it.
import type { Archipelago } from '../../core/archipelago.ts'
import type { Nkey } from '../../core/trust/nkey.ts'
import type { Files } from '../../store/files.ts'
import type { Homes } from '../../store/homes.ts'
import { renewLeafnodeCredential } from '../../store/leafnode.ts'
import type { OperatorHome } from '../../store/operator.ts'
import { nowSeconds } from './now.ts'

export interface Leafnodes {
  readonly files: Files
  readonly homes: Homes
  readonly archipelago: Archipelago
  readonly operator: Pick<OperatorHome, 'accounts'>
}

const checkSecondsMax = 60
const checksInALife = 20

/** Makes what is missing, past half of its life, or of another key. */
export function renewLeafnodes({ files, homes, archipelago, operator }: Leafnodes): void {
  const access = operator.accounts.find(({ claims }) => claims.name === 'ACCESS')
  const account = access?.claims.sub as Nkey<'account'>
  const { lifetimeSeconds } = archipelago.leafnode
  for (const { name: region } of archipelago.regions)
    renewLeafnodeCredential({ files, homes }, { region, account, lifetimeSeconds }, nowSeconds())
}

/** Renews until disposed; a failure is reported and tried again. */
export function keepLeafnodesRenewed(
  current: () => Leafnodes,
  report: (line: string) => void,
): Disposable {
  let timer: NodeJS.Timeout
  const wait = (): void => {
    const { lifetimeSeconds } = current().archipelago.leafnode
    const seconds = Math.min(lifetimeSeconds / checksInALife, checkSecondsMax)
    timer = setTimeout(check, seconds * 1000).unref()
  }
  const check = (): void => {
    try {
      renewLeafnodes(current())
    } catch (error) {
      report(`leafnode credentials are not renewed: ${String(error)}`)
    }
    wait()
  }
  wait()
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
