// All rules of our own: each stands for a way in which a manifest that Kubernetes takes is wrong here.
import type { Built, ManifestRule } from './rule.ts'
import { opensWhatIsDeclared } from './rules/exposure.ts'
import { imagesByDigest } from './rules/images.ts'
import { portsAreCovered } from './rules/network-policies.ts'
import { restrictedPods } from './rules/pod-security.ts'
import { mountsAreThere } from './rules/references.ts'
import { fitsArchipelago } from './rules/region.ts'
import { guaranteedResources } from './rules/resources.ts'
import { noPlainSecrets, noSecretsInEnvironment } from './rules/secrets.ts'
import { tokensForFew } from './rules/service-accounts.ts'
import { servicesLeadSomewhere } from './rules/services.ts'

export const manifestRules: readonly ManifestRule[] = [
  fitsArchipelago,
  imagesByDigest,
  noPlainSecrets,
  noSecretsInEnvironment,
  restrictedPods,
  guaranteedResources,
  tokensForFew,
  servicesLeadSomewhere,
  opensWhatIsDeclared,
  mountsAreThere,
  portsAreCovered,
]

/** Every fault of what a folder builds, by the name of its rule. */
export function breachesOf(built: Built): string[] {
  return manifestRules
    .filter(({ scope }) => scope === 'all' || built.region !== undefined)
    .flatMap(({ name, find }) => find(built).map((fault) => `${name}: ${fault}`))
}
