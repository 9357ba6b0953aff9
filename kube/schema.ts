// What Kubernetes' own API knows of its objects, as release 1.36 describes them: names of fields and kinds
// of values. What has to be there, and what fits together, an API server alone says.
import * as models from '@kubernetes/client-node'

interface Attribute {
  readonly baseName: string
  readonly type: string
}

/**
 * What an API server in strict mode would call an unknown field, or a value of another kind, each with its
 * path. Undefined for a kind that is not Kubernetes' own, of which nothing is known here.
 */
export function findSchemaFaults(object: object): string[] | undefined {
  const { apiVersion = '', kind } = object as { apiVersion?: string; kind?: string }
  const [group] = apiVersion.includes('/') ? apiVersion.split('/') : ['']
  const type = `${modelPrefix(apiVersion)}${kind}`
  const isKnown = attributesOf(type) !== undefined && /^[a-z]*$|\.k8s\.io$/.test(group ?? '')
  if (isKnown) return check(object, type, '')
  // Extensions have domains in the names of their groups.
  return group?.includes('.') ? undefined : [`unknown kind: ${kind} (${apiVersion})`]
}

/** `apps/v1` → `V1`, as the generated classes are named. */
function modelPrefix(apiVersion: string): string {
  const version = apiVersion.split('/').at(-1) ?? ''
  return version.charAt(0).toUpperCase() + version.slice(1)
}

function attributesOf(type: string): readonly Attribute[] | undefined {
  const model = (models as Record<string, unknown>)[type]
  if (typeof model !== 'function' || !('getAttributeTypeMap' in model)) return undefined
  return (model.getAttributeTypeMap as () => readonly Attribute[])()
}

function check(value: unknown, type: string, path: string): string[] {
  const [, item] = /^(?:Array|Set)<(.+)>$/.exec(type) ?? []
  if (item !== undefined) return checkItems(value, item, path)
  const [, entry] = /^\{ \[key: string\]: (.+); \}$/.exec(type) ?? []
  if (entry !== undefined) return checkEntries(value, () => entry, path)
  const attributes = attributesOf(type)
  if (attributes === undefined) return isScalar(value, type) ? [] : [fault(path, type)]
  const types = new Map(attributes.map(({ baseName, type }) => [baseName, type]))
  return checkEntries(value, (key) => types.get(key), path)
}

function checkItems(value: unknown, type: string, path: string): string[] {
  if (!Array.isArray(value)) return [fault(path, 'list')]
  return value.flatMap((item, index) => check(item, type, `${path}[${index}]`))
}

function checkEntries(
  value: unknown,
  typeOf: (key: string) => string | undefined,
  path: string,
): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [fault(path, 'map')]
  return Object.entries(value).flatMap(([key, item]) => {
    const type = typeOf(key)
    return type === undefined
      ? [`${path}.${key}: unknown field`]
      : check(item, type, `${path}.${key}`)
  })
}

const scalars: Readonly<Record<string, readonly string[]>> = {
  string: ['string'],
  number: ['number'],
  boolean: ['boolean'],
  Date: ['string'],
  V1MicroTime: ['string'],
  IntOrString: ['string', 'number'],
}

/** Of `any`, as in a CustomResourceDefinition's schema, everything but nothing is right. */
const isScalar = (value: unknown, type: string) =>
  value !== null && (scalars[type]?.includes(typeof value) ?? true)

const fault = (path: string, type: string) => `${path}: must be a ${type}`
