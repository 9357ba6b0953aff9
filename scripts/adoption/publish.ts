// What every command does that signs something which clusters have to know: the manifests of the operator's
// clone are written from what is published.
import { resolve } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import { outsideOfClusters } from '../../core/network/outside.ts'
import { requireOperator } from '../../core/trust/carried.ts'
import { writeTrustManifests, type TrustChange } from '../../gitops/trust-files.ts'
import { hasHome, operatorHomeName } from '../../store/bootstrap.ts'
import { readIfThere } from '../../store/files.ts'
import { writeNetworkFile } from '../../store/network-file.ts'
import { readOperatorHome } from '../../store/operator.ts'
import { publicFiles, readOperator } from '../../store/public.ts'
import type { AuthorityStore } from '../../store/root.ts'
import { withTrustLock } from '../../store/trust-lock.ts'
import { openStore } from '../authority-options.ts'
import type { Place } from '../command.ts'

export const manifestsOption = () =>
  new Option('--manifests <dir>', 'the manifests of your clone (default: beside archipelago.yaml)')

export const manifestsIn = (manifests: string | undefined, { archipelagoFile }: Place): string =>
  manifests === undefined ? resolve(archipelagoFile, '../manifests') : resolve(manifests)

/** Refuses the trust of another operator than archipelago.yaml names, and any that goes back. */
export function publishTrust(
  place: Place,
  manifests: string | undefined,
  options: { readonly isDryRun?: boolean } = {},
): TrustChange[] {
  requirePinned(place)
  const store = openStore(place, options)
  renewLobbyFile(store)
  return writeTrustManifests(store, manifestsIn(manifests, place), options)
}

/** Where the regions are clusters of an operator who is here: archipelago.yaml may have other ways in by now. */
function renewLobbyFile(store: AuthorityStore): void {
  const { homes, archipelago, files } = store
  const isOperator = hasHome(store, operatorHomeName)
  const isLaptop = archipelago.regions.some(({ name }) => hasHome(store, name))
  const known = files.read(publicFiles.network(homes.public, archipelago.network))
  if (!isOperator || isLaptop || known === undefined) return
  withTrustLock(homes, () => {
    const signing = { files, homes, archipelago, nowSeconds: Math.floor(store.nowMs / 1000) }
    writeNetworkFile(signing, readOperatorHome(signing), outsideOfClusters(archipelago))
  })
}

/** Whoever has another data folder than he thinks would sign for all clusters by another operator. */
export function requirePinned({ archipelago: { operator }, homes }: Place): void {
  if (operator === undefined || readIfThere(publicFiles.operator(homes.public)) === undefined)
    return
  requireOperator(operator, { operator: readOperator(homes.public) })
}

export function* showPublished(
  written: readonly TrustChange[],
  { isDryRun = false }: { readonly isDryRun?: boolean } = {},
): Generator<string> {
  for (const { kind, path } of written) yield `${isDryRun ? `would be ${kind}` : kind}: ${path}`
  if (written.length === 0) yield 'nothing to write'
  else if (!isDryRun) yield 'next: commit it, and git push; every region takes it by itself'
}
