import { containersOf, podsOf } from '../pods.ts'
import type { ManifestRule } from '../rule.ts'

/** What runs is what was looked at: a tag can be moved, a digest cannot. */
export const imagesByDigest: ManifestRule = {
  name: 'images by digest',
  scope: 'overlays',
  find: ({ manifests }) =>
    podsOf(manifests).flatMap((pod) =>
      containersOf(pod)
        .filter(({ image = '' }) => !/^[^@:]+(:\d+\/[^@:]+)?@sha256:[0-9a-f]{64}$/.test(image))
        .map(({ name, image }) => `${pod.owner}: image of ${name} without a digest: '${image}'`),
    ),
}
