// A region's servers: the name of its StatefulSet, how many there are, and what each is told.
import type { Archipelago, Region } from '../../core/archipelago.ts'
import { formatConfiguration } from '../../core/network/configuration.ts'
import { placeClusters } from '../../core/network/kubernetes.ts'
import { configureLimits, configurePod, podIncludes } from '../../core/network/pod.ts'
import { formatGenerated, generatedHeader } from '../kustomization.ts'
import type { RegionPart } from '../render.ts'

export function renderServers(archipelago: Archipelago, region: Region): RegionPart {
  const { namespace } = archipelago.kubernetes
  const regions = placeClusters(archipelago)
  const servers = regions.find(({ name }) => name === region.name)?.servers ?? []
  const configurations = servers.map((server): [string, string] => {
    const configuration = configurePod(server, regions, archipelago)
    const text = formatConfiguration(configuration, generatedHeader, podIncludes)
    return [`servers/${server.name}.conf`, text]
  })
  const limits = formatConfiguration(configureLimits(archipelago), generatedHeader)
  const target = { kind: 'StatefulSet', name: 'nats' }
  return {
    files: new Map([
      ...configurations,
      ['limits.conf', limits],
      ['stateful-set.yaml', formatGenerated(statefulSet(region))],
    ]),
    kustomization: {
      configMapGenerator: [
        // Its hash is in its name: another text restarts the servers, one by one.
        { name: 'nats-config', namespace, files: configurations.map(([file]) => file) },
        {
          name: 'nats-reload',
          namespace,
          files: ['limits.conf'],
          options: { disableNameSuffixHash: true },
        },
      ],
      patches: [{ path: 'stateful-set.yaml', target, options: { allowNameChange: true } }],
    },
  }
}

const statefulSet = ({ name, servers }: Region) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name },
  spec: { replicas: servers },
})
