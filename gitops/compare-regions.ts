// What differs between two regions' objects when each is called by the same name.
import { describeManifest, type Manifest } from './manifest.ts'

export interface Built {
  readonly name: string
  readonly manifests: readonly Manifest[]
}

export interface Difference {
  readonly object: string
  /** Of the field, such as `spec.replicas`; empty where one has no such object. */
  readonly path: string
  readonly one: string
  readonly other: string
}

/** Each region is REGION in what it builds, and the other one PEER; the lines of a text are taken in any order. */
export function compareRegions(one: Built, other: Built): Difference[] {
  const [left, right] = [fieldsByObject(one, other.name), fieldsByObject(other, one.name)]
  const objects = new Set([...left.keys(), ...right.keys()])
  return [...objects].flatMap((object) => {
    const [a, b] = [left.get(object), right.get(object)]
    if (a === undefined || b === undefined)
      return [{ object, path: '', one: presence(a), other: presence(b) }]
    return [...new Set([...a.keys(), ...b.keys()])]
      .filter((path) => a.get(path) !== b.get(path))
      .map((path) => ({ object, path, one: value(a, path), other: value(b, path) }))
  })
}

const presence = (object: object | undefined) => (object === undefined ? 'none' : 'there')

const charactersMax = 200
const value = (fields: ReadonlyMap<string, string>, path: string) =>
  (fields.get(path) ?? 'none').slice(0, charactersMax)

function fieldsByObject(
  { name, manifests }: Built,
  peer: string,
): Map<string, Map<string, string>> {
  const nameless = (text: string) =>
    withoutHash(text.replaceAll(name, 'REGION').replaceAll(peer, 'PEER'))
  return new Map(
    manifests.map((manifest) => [
      nameless(describeManifest(manifest)),
      new Map(flatten(manifest, '', nameless)),
    ]),
  )
}

/** That of kustomize at the end of a name: it says again that a text differs. */
const withoutHash = (text: string) => text.replace(/-[bcdfghkmt2456789]{10}("?)$/, '-HASH$1')

function flatten(
  value: unknown,
  path: string,
  nameless: (text: string) => string,
): [path: string, text: string][] {
  if (typeof value === 'string' && value.includes('\n')) {
    const lines = new Set(value.split('\n').map(nameless))
    return [...lines].map((line) => [`${path}: ${line.trim()}`, 'there'])
  }
  if (typeof value !== 'object' || value === null)
    return [[path, nameless(JSON.stringify(value) ?? '')]]
  return Object.entries(value).flatMap(([key, child]) => {
    const step = Array.isArray(value) ? `[${key}]` : `.${key}`
    return flatten(child, `${path}${nameless(step)}`.replace(/^\./, ''), nameless)
  })
}
