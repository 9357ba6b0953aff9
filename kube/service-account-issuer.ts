import { OpenidApi, WellKnownApi } from '@kubernetes/client-node'
import { readClusterIssuer, type ClusterIssuer } from '../core/identity/cluster-issuer.ts'
import { openConfig, type ClusterUser } from './config.ts'
import { orRefuse } from './or-refuse.ts'

/**
 * Who signs the tokens of the cluster's service accounts. Kubernetes lets every service account read it, by its own
 * ClusterRole system:service-account-issuer-discovery; refuses where that was taken away.
 */
export async function readServiceAccountIssuer(user: ClusterUser = {}): Promise<ClusterIssuer> {
  const config = openConfig(user)
  const what = 'read who signs the tokens of service accounts'
  const [configuration, jwks] = await orRefuse(
    what,
    Promise.all([
      config.makeApiClient(WellKnownApi).getServiceAccountIssuerOpenIDConfiguration(),
      config.makeApiClient(OpenidApi).getServiceAccountIssuerOpenIDKeyset(),
    ]),
  )
  return readClusterIssuer(configuration, jwks)
}
