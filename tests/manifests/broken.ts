import { isMap, parseDocument } from 'yaml'
import type { Manifest } from '../../gitops/manifest.ts'

export type Path = readonly (string | number)[]

/** One thing of the object of this kind and name; a value of undefined takes it out. */
export interface Break {
  readonly of: readonly [kind: string, name: string]
  readonly at: Path
  readonly value: unknown
}

/** The same manifests with one thing broken; a TypeError for an object that is not there. */
export function breakManifests(
  manifests: readonly Manifest[],
  { of: [kind, name], at, value }: Break,
): Manifest[] {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name)
  if (found === undefined) throw new TypeError(`no ${kind} ${name}`)
  return manifests.map((one) => (one === found ? breakOne(one, at, value) : one))
}

function breakOne(manifest: Manifest, at: Path, value: unknown): Manifest {
  const document = parseDocument(JSON.stringify(manifest))
  if (!isMap(document.contents)) throw new TypeError('no object')
  if (value === undefined) document.deleteIn(at)
  else document.setIn(at, value)
  return document.toJS() as Manifest
}
