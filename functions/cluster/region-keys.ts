// Makes the keys of a region in its cluster, where they stay: a Secret for each process that reads keys, and
// their public halves in one ConfigMap, which the operator adopts. Run again, it makes what is missing.
import type { Archipelago } from '../../core/archipelago.ts'
import { formatClusterIssuer, type ClusterIssuer } from '../../core/identity/cluster-issuer.ts'
import { formatRegionPublic, issuerKey, regionPublicName } from '../../core/trust/region-public.ts'
import type { Cluster, ClusterObject } from '../../kube/cluster.ts'
import { makeRegionKeys, regionSecretNames, type SecretData } from '../../store/region-secrets.ts'
import { configMapKind, keepEntries, type ConfigMap } from './keep-config-map.ts'

const secretKind = { apiVersion: 'v1', kind: 'Secret' } as const

interface Secret extends ClusterObject {
  readonly data?: SecretData
}

export interface MadeRegion {
  /** Names of the objects that were made or got what they lacked; none the second time. */
  readonly changed: readonly string[]
}

/** Refuses where a Secret holds what is no key; what a Secret holds is never replaced. */
export async function makeRegion(
  cluster: Cluster,
  archipelago: Archipelago,
  { region, issuer }: { readonly region: string; readonly issuer: ClusterIssuer | undefined },
): Promise<MadeRegion> {
  const found = new Map<string, Secret>()
  for (const name of regionSecretNames(archipelago)) {
    const secret = await cluster.read<Secret>(secretKind, name)
    if (secret !== undefined) found.set(name, secret)
  }
  const held = new Map([...found].map(([name, { data }]) => [name, decode(data ?? {})] as const))
  const { keys, secrets } = makeRegionKeys(archipelago, region, held)
  const changed = []
  for (const [name, data] of secrets)
    if (await keepSecret(cluster, { name, data, found: found.get(name) })) changed.push(name)
  // After the keys: what is published here has its private half in a Secret.
  const published = {
    ...formatRegionPublic(keys, archipelago),
    ...(issuer !== undefined && { [issuerKey]: formatClusterIssuer(issuer) }),
  }
  if (await publish(cluster, published)) changed.push(regionPublicName)
  return { changed }
}

async function keepSecret(
  cluster: Cluster,
  { name, data, found }: { name: string; data: SecretData; found: Secret | undefined },
): Promise<boolean> {
  const encoded = encode(data)
  if (found === undefined) {
    await cluster.create({ ...secretKind, type: 'Opaque', metadata: { name }, data: encoded })
    return true
  }
  if (Object.keys(found.data ?? {}).length === Object.keys(data).length) return false
  // With the version that was read: of two jobs at once the second one is refused, and begins anew.
  await cluster.replace({ ...found, ...secretKind, data: { ...encoded, ...found.data } })
  return true
}

async function publish(cluster: Cluster, data: Record<string, string>): Promise<boolean> {
  const found = await cluster.read<ConfigMap>(configMapKind, regionPublicName)
  if (found === undefined) {
    await cluster.create({ ...configMapKind, metadata: { name: regionPublicName }, data })
    return true
  }
  // Requests for authorities stay as they are.
  return keepEntries(cluster, found, data)
}

const decode = (data: SecretData): SecretData =>
  mapValues(data, (text) => Buffer.from(text, 'base64').toString())

const encode = (data: SecretData): SecretData =>
  mapValues(data, (text) => Buffer.from(text).toString('base64'))

const mapValues = (data: SecretData, change: (text: string) => string): SecretData =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, change(text)]))
