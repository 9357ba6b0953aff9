// What the leafnode server in a function's pod is told. Its name is that of the pod: of two leafnode servers
// of one name a nats-server keeps the later one only.
import type { Archipelago } from '../archipelago.ts'
import type { Configuration } from './configuration.ts'
import { placeClusters } from './kubernetes.ts'
import { configureLeafnode } from './leafnode.ts'

/** Where the pod's containers find their files; manifests/base/functions mounts them there. */
const files = {
  certificate: '/etc/leafnode/tls/tls.crt',
  key: '/etc/leafnode/tls/tls.key',
  trusted: '/etc/archipelago/authorities/region.pem',
  credentials: '/run/leafnode/leafnode.creds',
  process: '/run/leafnode/nats.pid',
} as const

/** From the folder of the configuration: whom it admits, which is known in the cluster alone. */
export const leafnodeIncludes = ['../users/users.conf'] as const

export function configureLeafnodePod(archipelago: Archipelago, region: string): Configuration {
  const place = placeClusters(archipelago).find(({ name }) => name === region)
  if (place === undefined) throw new TypeError(`no such region: ${region}`)
  // The kubelet asks it at the pod's address.
  const monitor = { ...place.leafnode.monitor, listen: '0.0.0.0' }
  const { certificate, key, trusted, credentials } = files
  const {
    server_name: _name,
    accounts: _included,
    ...configuration
  } = configureLeafnode(
    { ...place.leafnode, monitor },
    { region: place, account: 'ACCESS', functions: [nobody] },
    { tls: { certificate, key, trusted }, credentials },
  )
  return { ...configuration, pid_file: files.process }
}

const nobody = { publicKey: '', publish: [], subscribe: [] }
