// The trust on its way to the clusters: three ConfigMaps for each region, which an Application of their own
// brings to all regions at once. Public, signed where it matters, and never put back to an older state.
import { stringify } from 'yaml'
import type { Archipelago } from '../../core/archipelago.ts'
import { Refusal } from '../../core/errors.ts'
import { formatConfiguration } from '../../core/network/configuration.ts'
import { meshes } from '../../core/identity/mesh.ts'
import { configureAccounts } from '../../core/network/pod.ts'
import { authorityKey, rootsKey } from '../../core/trust/region-authority.ts'
import type { PublishedTrust } from '../../store/published-trust.ts'

const header =
  '# Written by scripts/adopt-region.ts and publish-trust.ts: what stands here is signed, or public.'
/** Of a ConfigMap, by Kubernetes (ValidateConfigMap). */
const configMapBytesMax = 1024 * 1024

/** By the path below manifests/trust; without a trust, as cloned, the ConfigMaps are there and empty. */
export function renderTrust(
  archipelago: Archipelago,
  trust: PublishedTrust | undefined,
): Map<string, string> {
  const rendered = archipelago.regions.flatMap(({ name: region }) => {
    const maps = {
      trust: trust === undefined ? {} : trustData(trust),
      'region-authority': trust === undefined ? {} : authorityData(trust, region),
      accounts: trust === undefined ? {} : accountData(trust),
    }
    return Object.entries(maps).map(
      ([name, data]) =>
        [`${region}/${name}.yaml`, formatConfigMap(archipelago, name, data)] as const,
    )
  })
  return new Map(rendered)
}

/** The key of a file of the public folder, for a ConfigMap's key holds no '/'. */
export const trustKey = (path: string): string => path.replaceAll('/', '.')

const trustData = ({ files }: PublishedTrust) =>
  Object.fromEntries([...files].map(([path, text]) => [trustKey(path), text]))

/**
 * The region's own authorities, and those of all: nobody's private half is in either. What servers trust holds
 * nothing of a mesh.
 */
function authorityData({ authorities, roots }: PublishedTrust, region: string) {
  const own = authorities.get(region)
  const ofMeshes = meshes.flatMap((mesh) => [
    [authorityKey(mesh), own?.[mesh] ?? ''],
    [rootsKey(mesh), roots[mesh]],
  ])
  const network = [...authorities.values()].map(({ identity }) => identity).join('')
  const files: Record<string, string> = {
    [authorityKey('identity')]: own?.identity ?? '',
    [authorityKey('public')]: own?.public ?? '',
    'network.pem': network,
    [rootsKey('identity')]: roots.identity,
    [rootsKey('public')]: roots.public,
    ...Object.fromEntries(ofMeshes),
  }
  return Object.fromEntries(Object.entries(files).filter(([, pem]) => pem !== ''))
}

/** What a server includes: the account of the system, and every account by preload. */
function accountData({ operator, accounts }: PublishedTrust) {
  const configuration = configureAccounts({
    operatorJwt: operator.text,
    systemAccount: operator.claims.nats.system_account,
    accounts: accounts.map(({ text, claims }) => ({ publicKey: claims.sub, jwt: text })),
  })
  const comment = 'the accounts as they were signed last'
  return { 'accounts.conf': formatConfiguration(configuration, comment) }
}

function formatConfigMap(
  { kubernetes: { namespace } }: Archipelago,
  name: string,
  data: Readonly<Record<string, string>>,
): string {
  const bytes = Object.entries(data).reduce(
    (sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text),
    0,
  )
  if (bytes > configMapBytesMax)
    throw new Refusal(
      'ERR_MANIFEST_OVERSIZE',
      `ConfigMap ${name}: ${bytes} bytes, ${configMapBytesMax} at most`,
    )
  const sorted = Object.entries(data).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const head = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } }
  return `${header}\n${stringify({ ...head, data: Object.fromEntries(sorted) }, { lineWidth: 0 })}`
}
