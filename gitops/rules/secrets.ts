import { describeManifest, type Manifest } from '../manifest.ts'
import { containersOf, podsOf } from '../pods.ts'
import type { ManifestRule } from '../rule.ts'

/** Git holds no secret: keys are made where they are used, and the few that travel are sealed. */
export const noPlainSecrets: ManifestRule = {
  name: 'no secret in plain text',
  scope: 'all',
  find: ({ manifests }) =>
    manifests.flatMap((manifest) => [
      ...(manifest.kind === 'Secret' ? [`${describeManifest(manifest)}: a Secret in git`] : []),
      ...secretTexts(manifest),
    ]),
}

/** What the environment holds, every child process and crash report has. */
export const noSecretsInEnvironment: ManifestRule = {
  name: 'no secret in an environment',
  scope: 'overlays',
  find: ({ manifests }) =>
    podsOf(manifests).flatMap((pod) =>
      containersOf(pod)
        .filter(
          ({ env = [], envFrom = [] }) =>
            env.some(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined) ||
            envFrom.some(({ secretRef }) => secretRef !== undefined),
        )
        .map(({ name }) => `${pod.owner}: ${name} takes a Secret into its environment`),
    ),
}

const shapes: readonly (readonly [what: string, shape: RegExp])[] = [
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['the seed of an nkey', /\bS[OAUNCX][A-Z2-7]{56}\b/],
  ['a secret key of age', /\bAGE-SECRET-KEY-1[A-Z0-9]+/],
]

/** Never the text itself. */
function secretTexts(manifest: Manifest): string[] {
  return textsOf(manifest).flatMap(([path, text]) =>
    shapes
      .filter(([, shape]) => shape.test(text) || shape.test(decode(text)))
      .map(([what]) => `${describeManifest(manifest)}: ${what} at ${path}`),
  )
}

/** As a Secret or binary data would hold it. */
const decode = (text: string) => Buffer.from(text, 'base64').toString('latin1')

function textsOf(value: unknown, path = ''): [path: string, text: string][] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => textsOf(item, `${path}.${key}`))
}
