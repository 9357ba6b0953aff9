// The keys by which a region's cluster signs the tokens of its service accounts, as a file beside
// archipelago.yaml. Nobody believes them before an issuer there names the file.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Archipelago, Issuer } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import { formatJwkSet, type ClusterIssuer } from '../../core/identity/cluster-issuer.ts'
import { readJwkSet } from '../../core/identity/jwk-set.ts'
import { quote } from '../../core/quote.ts'
import type { RegionPublic } from '../../core/trust/region-public.ts'
import { readIfThere } from '../../store/files.ts'
import type { Place } from '../command.ts'

export interface AdoptedIssuer {
  readonly issuer: ClusterIssuer
  /** As archipelago.yaml names it. */
  readonly path: string
  readonly file: string
  readonly isNew: boolean
  /** By the issuer of archipelago.yaml that names the file. */
  readonly isBelieved: boolean
  readonly archipelago: Archipelago
}

/** Refuses where archipelago.yaml says of another issuer that these are its keys. */
export function planIssuer(
  { archipelago, archipelagoFile }: Place,
  { keys: { region }, issuer }: RegionPublic,
): AdoptedIssuer | undefined {
  if (issuer === undefined) return undefined
  const path = `issuers/${region}-cluster.json`
  const file = resolve(dirname(archipelagoFile), path)
  const [declared] = archipelago.issuers.filter(({ jwks }) => jwks === path)
  if (declared !== undefined && declared.issuer !== issuer.issuer)
    throw new Refusal(
      'ERR_ISSUER_KEYS',
      `issuer ${declared.name} is ${quote(declared.issuer)}, and the cluster of ${region} signs as ${quote(issuer.issuer)}`,
    )
  const withKeys = (each: Issuer) => (each === declared ? { ...each, keys: issuer.keys } : each)
  return {
    ...{ issuer, path, file, isBelieved: declared !== undefined },
    isNew: !isDeepStrictEqual(declared?.keys ?? keysIn(file), issuer.keys),
    archipelago: { ...archipelago, issuers: archipelago.issuers.map(withKeys) },
  }
}

function keysIn(file: string): unknown {
  const text = readIfThere(file)
  try {
    return text === undefined ? undefined : readJwkSet(JSON.parse(text), 'sig')
  } catch {
    // Whatever stands there: it is written anew.
    return undefined
  }
}

export function writeIssuer({ issuer, file, isNew }: AdoptedIssuer): void {
  if (!isNew) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, formatJwkSet(issuer.keys))
}

export function describeIssuer({ issuer, path, isNew, isBelieved }: AdoptedIssuer) {
  return {
    issuer: issuer.issuer,
    keyIds: issuer.keys.map(({ kid }) => kid),
    path,
    isNew,
    isBelieved,
  }
}
