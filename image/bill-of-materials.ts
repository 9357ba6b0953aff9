// What is in an image, for those who look for a flaw or a licence: CycloneDX 1.6, beside the archive.
import type { OciImage } from './oci-image.ts'

/** Says nothing of when it was made: equal images have equal bills. */
export function billOfMaterials({ name, version, manifest, parts }: OciImage): object {
  const hashes = [{ alg: 'SHA-256', content: manifest.digest.slice('sha256:'.length) }]
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'container', name, version, hashes } },
    components: parts.map(({ name, version, purl, licence }) => ({
      type: 'library',
      'bom-ref': purl,
      name,
      version,
      licenses: [{ expression: licence }],
      purl,
    })),
  }
}
