// What every command does that signs something which clusters have to know: the manifests of the operator's
// clone are written from what is published.
import { resolve } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import { requireOperator } from '../../core/trust/carried.ts'
import { writeTrustManifests, type TrustChange } from '../../gitops/trust-files.ts'
import { readIfThere } from '../../store/files.ts'
import { publicFiles, readOperator } from '../../store/public.ts'
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
  return writeTrustManifests(openStore(place), manifestsIn(manifests, place), options)
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
