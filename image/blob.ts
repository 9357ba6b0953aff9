// What an image is made of: bytes under the name of their own digest (OCI image specification,
// "Content Descriptors").
import { createHash } from 'node:crypto'

export interface ImageBlob {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  /** In order. A layer of a hundred megabytes is never copied into one piece. */
  readonly chunks: readonly Uint8Array[]
}

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
}

export function makeBlob(mediaType: string, chunks: readonly Uint8Array[]): ImageBlob {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  const size = chunks.reduce((total, { length }) => total + length, 0)
  return { mediaType, digest: `sha256:${hash.digest('hex')}`, size, chunks }
}

/** The keys stand as they are given: another order is another digest. */
export function makeJsonBlob(mediaType: string, value: object): ImageBlob {
  return makeBlob(mediaType, [Buffer.from(JSON.stringify(value))])
}

export function describeBlob({ mediaType, digest, size }: ImageBlob): Descriptor {
  return { mediaType, digest, size }
}
