// The job `region-keys`: makes the keys of a region in its cluster.
import { Refusal } from '../../core/errors.ts'
import type { ClusterIssuer } from '../../core/identity/cluster-issuer.ts'
import { openCluster } from '../../kube/cluster.ts'
import { readServiceAccountIssuer } from '../../kube/service-account-issuer.ts'
import { parseClusterEnvironment, readOwnArchipelago } from './environment.ts'
import { makeRegion } from './region-keys.ts'
import { runInCluster } from './run-in-cluster.ts'

async function main(): Promise<void> {
  const environment = parseClusterEnvironment(process.env)
  const { region, namespace } = environment
  const archipelago = readOwnArchipelago(environment)
  const issuer = await findIssuer()
  const { changed } = await makeRegion(openCluster(namespace), archipelago, { region, issuer })
  const made = changed.length === 0 ? 'nothing to make' : `made ${changed.join(', ')}`
  console.log(`${region}: ${made}; the operator adopts it: node scripts/adopt-region.ts ${region}`)
}

/** Whose tokens the cluster's workloads have is good to know, and no reason to wait. */
async function findIssuer(): Promise<ClusterIssuer | undefined> {
  try {
    return await readServiceAccountIssuer()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    console.error(`not published: ${error.message}`)
    return undefined
  }
}

runInCluster('make-region-keys', main)
