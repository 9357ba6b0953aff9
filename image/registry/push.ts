// Pushing by the OCI distribution specification 1.1: what the registry lacks, then the manifest.
import { Refusal } from '../../core/errors.ts'
import type { ImageBlob } from '../blob.ts'
import type { OciImage } from '../oci-image.ts'
import type { RegistryAddress } from './address.ts'
import type { Credentials } from './credentials.ts'
import { openRepository, type Repository } from './repository.ts'

export interface Pushed {
  /** 'registry.example/team/functions' */
  readonly repository: string
  /** Some registries forget what has no tag: '0.1.0-<twelve digits of the digest>', which never moves. */
  readonly tag: string
  readonly bytesSent: number
}

/** The manifest goes last: a push that is cut off leaves nothing that anybody could pull. */
export async function pushImage(
  image: OciImage,
  address: RegistryAddress,
  credentials: Credentials | undefined,
): Promise<Pushed> {
  const { name, version, manifest, blobs } = image
  const repository = openRepository(address, name, credentials)
  let bytesSent = 0
  for (const blob of blobs) bytesSent += await pushBlob(repository, blob)
  const [, digits = ''] = /^sha256:(.{12})/.exec(manifest.digest) ?? []
  const tag = `${version}-${digits}`
  await repository.require(repository.url(`manifests/${tag}`), {
    method: 'PUT',
    headers: { 'content-type': manifest.mediaType },
    body: bodyOf(manifest),
  })
  // By the name that pods use.
  const headers = { accept: manifest.mediaType }
  const place = repository.url(`manifests/${manifest.digest}`)
  await repository.require(place, { method: 'HEAD', headers })
  return { repository: repository.name, tag, bytesSent }
}

/** How many bytes had to be sent. */
async function pushBlob(repository: Repository, blob: ImageBlob): Promise<number> {
  const { digest, size } = blob
  const there = await repository.ask(repository.url(`blobs/${digest}`), { method: 'HEAD' })
  if (there.ok) return 0
  const begun = await repository.require(repository.url('blobs/uploads/'), { method: 'POST' })
  const place = begun.headers.get('location')
  if (place === null)
    throw new Refusal('ERR_REGISTRY_REFUSED', 'registry names no place for an upload')
  const upload = new URL(place, repository.url('blobs/uploads/'))
  upload.searchParams.set('digest', digest)
  await repository.require(upload, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: bodyOf(blob),
  })
  return size
}

function bodyOf({ chunks }: ImageBlob): Blob {
  return new Blob(chunks as Uint8Array<ArrayBuffer>[])
}
