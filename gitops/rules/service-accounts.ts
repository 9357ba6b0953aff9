import { podsOf } from '../pods.ts'
import type { ManifestRule } from '../rule.ts'

/** Who speaks to the API server of its own cluster. Servers and functions do not. */
const tokenHolders = ['region-keys', 'answer-authority', 'prove-region']

/** A pod has a name of its own and, but for the few that need one, no token. */
export const tokensForFew: ManifestRule = {
  name: 'service account tokens for few',
  scope: 'overlays',
  find: ({ manifests }) => {
    const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount')
    const open = accounts.filter(
      (account) =>
        (account as { automountServiceAccountToken?: boolean }).automountServiceAccountToken !==
          false && !tokenHolders.includes(account.metadata.name),
    )
    const known = accounts.map(({ metadata }) => metadata.name)
    return [
      ...open.map(
        ({ metadata }) => `ServiceAccount ${metadata.name}: gives its token to every pod`,
      ),
      ...podsOf(manifests).flatMap(({ owner, spec }) => {
        const { serviceAccountName: name = 'default', automountServiceAccountToken: mounts } = spec
        return [
          ...(known.includes(name) ? [] : [`${owner}: unknown service account: ${name}`]),
          ...(mounts !== false && !tokenHolders.includes(name)
            ? [`${owner}: has a token of ${name}`]
            : []),
        ]
      }),
    ]
  },
}
