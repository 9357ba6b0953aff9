// What the commands about certificate authorities share.
import { join, resolve } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import {
  allKinds,
  authorityKinds,
  type AnyKind,
  type AuthorityPlace,
} from '../core/identity/authority.ts'
import type { Certificate } from '../core/identity/certificate.ts'
import type { AuthorityStore } from '../store/root.ts'
import { openFiles } from '../store/files.ts'
import { sha256Of } from '../store/withdraw-authority.ts'
import { repositoriesOf, type Place } from './command.ts'
import { requireOutside } from '../store/place.ts'

/** A function, for commander changes options that it is given. */
export const kindOption = () =>
  new Option('--kind <kind>', 'of identities, or of the names that outside clients see')
    .choices(authorityKinds)
    .makeOptionMandatory()

/** Of meshes, too. */
export const anyKindOption = () =>
  new Option('--kind <kind>', 'of identities, of the names that outside clients see, or of a mesh')
    .choices(allKinds)
    .makeOptionMandatory()

export const openStore = (
  { archipelago, homes }: Place,
  { isDryRun = false }: { isDryRun?: boolean | undefined } = {},
): AuthorityStore => ({
  ...{ archipelago, homes },
  files: openFiles({ isDryRun }),
  nowMs: Date.now(),
})

export interface PlaceOptions {
  readonly region: string
  readonly kind: AuthorityPlace['kind']
  readonly laptop?: true | undefined
}

export const authorityPlace = ({ region, kind, laptop }: PlaceOptions): AuthorityPlace => ({
  ...{ region, kind },
  placement: laptop ? 'laptop' : 'distributed',
})

/** Where a root's key was handed to; refuses a folder in a repository. */
export function rootKeyIn(folder: string, place: Place, kind: AnyKind): string {
  requireOutside(resolve(folder), repositoriesOf(place.archipelagoFile))
  return join(resolve(folder), `${place.archipelago.network}-${kind}-root.key`)
}

/** For a program, and for people to compare by eye. */
export function describeCertificate(certificate: Certificate) {
  const { serial, notAfterMs } = certificate
  return {
    serial,
    sha256: sha256Of(certificate),
    notAfter: new Date(notAfterMs).toISOString(),
  }
}
