// An image as one file: an OCI image layout in a tar archive, which `ctr images import`, podman and
// skopeo read.
import { describeBlob, makeJsonBlob, type ImageBlob } from './blob.ts'
import type { OciImage } from './oci-image.ts'
import { packEntries, type FileEntry } from './tar.ts'

/** The archive's bytes. `repository` is what pods call the image, such as 'registry.example/nats-server'. */
export function packArchive(image: OciImage, repository: string): Uint8Array[] {
  const { manifest, blobs, version } = image
  const byVersion = `${repository}:${version}`
  // By its digest too, for that is how a pod names it: a runtime has only the names that it was told.
  const names = [byVersion, `${repository}@${manifest.digest}`]
  const layout = { imageLayoutVersion: '1.0.0' }
  const overview = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: names.map((name) => ({
      ...describeBlob(manifest),
      annotations: {
        'io.containerd.image.name': name,
        ...(name === byVersion && { 'org.opencontainers.image.ref.name': version }),
      },
    })),
  }
  return packEntries([
    fileOf('oci-layout', makeJsonBlob('', layout)),
    fileOf('index.json', makeJsonBlob('', overview)),
    ...[manifest, ...blobs].map((blob) => fileOf(`blobs/${blob.digest.replace(':', '/')}`, blob)),
  ])
}

function fileOf(path: string, { chunks }: ImageBlob): FileEntry {
  return { path, mode: 0o644, chunks }
}
