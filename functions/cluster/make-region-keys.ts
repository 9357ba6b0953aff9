// The job `region-keys`: makes the keys of a region in its cluster.
import { openCluster } from '../../kube/cluster.ts'
import { parseClusterEnvironment, readOwnArchipelago } from './environment.ts'
import { makeRegion } from './region-keys.ts'
import { runInCluster } from './run-in-cluster.ts'

async function main(): Promise<void> {
  const environment = parseClusterEnvironment(process.env)
  const { region, namespace } = environment
  const archipelago = readOwnArchipelago(environment)
  const { changed } = await makeRegion(openCluster(namespace), archipelago, region)
  const made = changed.length === 0 ? 'nothing to make' : `made ${changed.join(', ')}`
  console.log(`${region}: ${made}; the operator adopts it: node scripts/adopt-region.ts ${region}`)
}

runInCluster('make-region-keys', main)
